"""The stack that the end-to-end tests share: started for the run and ended after it, whatever happens.

While writing a test, ``pytest --stack .local/stack.json`` uses the one that `make up` has started instead.
Tests that do not ask for the fixture ``stack`` start none.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import openapi_contract
from console_browser import chromium
from console_payouts import fill_payouts
from console_story import fill
from localcloud import signals, users
from localcloud import stack as local_stack
from localcloud.progress import Reporter
from localcloud.settings import StackPaths, UserError, free_port
from localcloud.stack import Stack
from signed_deliveries import Endpoint


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--stack``, ``--console-stack`` and ``--empty-stack``: stacks that run already."""
    parser.addoption("--stack", help="the description (stack.json) of a stack to use instead of making one")
    parser.addoption("--console-stack", help="the same for the console's tests")
    parser.addoption("--empty-stack", help="the same for the story that begins without a key")


@pytest.fixture(scope="session")
def stack(running_stack: Stack) -> Iterator[Stack]:
    """The running stack, each response of whose API is checked against `functions/openapi.yaml`."""
    with openapi_contract.every_response_checked(running_stack.api_url):
        yield running_stack


@pytest.fixture(autouse=True)
def _responses_in_threads() -> Iterator[None]:
    yield
    openapi_contract.raise_broken()


@pytest.fixture(scope="session")
def running_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack with no endpoint registered, and no users but its admin and its viewer."""
    if given := request.config.getoption("--stack"):
        yield Stack(json.loads(Path(given).read_text()))
        return
    yield from _stack_of_its_own(request, StackPaths("test"))


@pytest.fixture(scope="session")
def console_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack for the console's tests: with an endpoint, some customers' stories, and events that wait."""
    if given := request.config.getoption("--console-stack"):
        yield Stack(json.loads(Path(given).read_text()))
        return
    for started in _stack_of_its_own(request, StackPaths("test-console")):
        fill(started)
        fill_payouts(started)
        yield started


@pytest.fixture
def empty_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack as after a first deployment: without a Stripe key."""
    if given := request.config.getoption("--empty-stack"):
        yield Stack(json.loads(Path(given).read_text()))
        return
    yield from _stack_of_its_own(request, StackPaths("test-empty"), with_key=False)


def _stack_of_its_own(
    request: pytest.FixtureRequest, paths: StackPaths, with_key: bool = True
) -> Iterator[Stack]:
    signals.interrupt_once()
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture
    try:
        with local_stack.locked(paths):
            local_stack.down(paths)
            try:
                # A first build takes minutes, so its progress is shown.
                with capture.global_and_fixture_disabled():
                    print(flush=True)
                    started = local_stack.up(paths, free_port(), Reporter(), with_key=with_key)
                yield started
            finally:
                local_stack.down(paths)
    except UserError as error:
        pytest.exit(f"the local stack does not come up: {error}", returncode=1)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window on this machine's screen."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def endpoint(stack: Stack) -> Iterator[Endpoint]:
    """The endpoint `main`, registered for the tests of one file."""
    response = stack.admin_call("POST", "/endpoints", {"name": "main"})
    assert response.status == 201, response.text
    made = Endpoint(f"{stack.api_url}/webhooks/main", response.json["signing_secret"])
    yield made
    assert stack.admin_call("DELETE", "/endpoints/main?confirm=main").status == 204


@pytest.fixture(scope="session")
def token_without_group(stack: Stack) -> str:
    """The token of a user who is in no group."""
    return _token(stack, "without-group", None)


@pytest.fixture(scope="session")
def machine_token(stack: Stack) -> str:
    """The access token of a program, by the pool's client for machines."""
    answer = users.machine_token(stack.aws_endpoint_url, _pool(stack), "billhook/read")
    assert answer.status == 200, answer.text
    return str(answer.json["access_token"])


@pytest.fixture(scope="session")
def token_of_similar_group(stack: Stack) -> str:
    """The token of a user in one group whose name contains the admins'."""
    stack.aws("cognito-idp").create_group(UserPoolId=_pool(stack), GroupName="billing admin")
    return _token(stack, "billing", "billing admin")


def _token(stack: Stack, name: str, group: str | None) -> str:
    return users.create(stack.aws_endpoint_url, _pool(stack), stack.client_id, name, group).token


def _pool(stack: Stack) -> str:
    return str(stack.issuer).rsplit("/", 1)[1]
