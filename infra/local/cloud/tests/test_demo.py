"""Runs `make demo` as a test: register, deliveries, records, status, deregister."""

import pytest

from localcloud.demo import Demo
from localcloud.stack import Stack


def test_each_step_of_the_demo_answers_as_promised(stack: Stack) -> None:
    if "stripe_control_url" not in stack.description:
        pytest.skip("only a simulated Stripe has a control API")
    Demo(stack, print).run()
