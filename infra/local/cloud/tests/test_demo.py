"""The story of `make demo`, as a test: register, deliveries, records, status, deregister."""

import pytest

from localcloud.demo import Tale
from localcloud.stack import Stack


def test_the_whole_story_comes_out_as_promised(stack: Stack) -> None:
    if "stripe_control_url" not in stack.described:
        pytest.skip("only a simulated Stripe can be told what happens at Stripe")
    Tale(stack, print).tell()
