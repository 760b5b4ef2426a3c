"""The stack that all these tests share: one of their own, made for the run and ended after it, whatever happens.

While writing a test, ``pytest --stack .local/stack.json`` uses the one that `make up` has made instead.
"""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from delivering import Endpoint  # noqa: E402
from localcloud import people, stack as local  # noqa: E402
from localcloud.stack import Stack  # noqa: E402
from localcloud.surroundings import Slot, Trouble, free_port  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--stack``: a stack that runs already."""
    parser.addoption("--stack", help="the description (stack.json) of a stack to use instead of making one")


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack with nothing registered and nobody but its admin and its viewer."""
    if given := request.config.getoption("--stack"):
        yield Stack(json.loads(Path(given).read_text()))
        return
    # A polite kill ends the stack too; Ctrl-C does so already.
    signal.signal(signal.SIGTERM, _interrupted)
    slot = Slot("test")
    try:
        with local.held(slot):
            local.down(slot)
            try:
                yield local.up(slot, free_port(), say=lambda line: print(f"· {line}", flush=True))
            finally:
                local.down(slot)
    except Trouble as trouble:
        pytest.exit(f"the local stack does not come up: {trouble}", returncode=1)


@pytest.fixture(scope="module")
def endpoint(stack: Stack) -> Iterator[Endpoint]:
    """`main`, registered for the tests of one file."""
    answer = stack.admin_call("POST", "/endpoints", {"name": "main"})
    assert answer.status == 201, answer.text
    made = Endpoint(f"{stack.api_url}/webhooks/main", answer.json["signing_secret"])
    yield made
    assert stack.admin_call("DELETE", "/endpoints/main?confirm=main").status == 204


@pytest.fixture(scope="session")
def nobody(stack: Stack) -> str:
    """A token of someone who is signed in and in no group."""
    return _token(stack, "nobody", None)


@pytest.fixture(scope="session")
def near_admin(stack: Stack) -> str:
    """A token of someone in one group whose name contains the admins'."""
    stack.aws("cognito-idp").create_group(UserPoolId=_pool(stack), GroupName="billing admin")
    return _token(stack, "billing", "billing admin")


def _token(stack: Stack, name: str, group: str | None) -> str:
    return people.make(stack.aws_endpoint_url, _pool(stack), stack.client_id, name, group).token


def _pool(stack: Stack) -> str:
    return str(stack.issuer).rsplit("/", 1)[1]


def _interrupted(_number: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt
