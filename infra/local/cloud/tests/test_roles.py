"""Every documented operation is open to the role that the document names for it, and to no lesser one."""

import re

import pytest

from localcloud import users
from localcloud.stack import Stack
from openapi_contract import Contract

# Names of nothing: whoever may call is told so, and nothing is changed.
NAMES = {
    "kind": "payments",
    "name": "no-such-endpoint",
    "endpoint": "no-such-endpoint",
    "id": "evt_none",
    "customer": "cus_1",
    "file": "none.js",
}

OPERATIONS = [
    (method, re.sub(r"{(\w+)}", lambda match: NAMES[match[1]], path), operation["x-role"])
    for method, path, operation in Contract.read().operations()
]
SIGNED_IN = [(method, path) for method, path, role in OPERATIONS if role != "public"]
OF_VIEWERS = [(method, path) for method, path, role in OPERATIONS if role == "viewer"]
OF_ADMINS = [(method, path) for method, path, role in OPERATIONS if role == "admin"]


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
def test_without_a_token_the_gateway_refuses(stack: Stack, method: str, path: str) -> None:
    response = stack.call(method, path)
    assert (response.status, response.json) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
def test_a_user_in_no_group_is_refused(
    stack: Stack, token_without_group: str, method: str, path: str
) -> None:
    assert stack.call(method, path, token_without_group).code == "forbidden"


@pytest.mark.parametrize(("method", "path"), OF_VIEWERS)
def test_a_viewer_may_do_what_is_for_viewers(stack: Stack, method: str, path: str) -> None:
    # 404 where there is nothing to see.
    assert stack.call(method, path, stack.viewer["token"]).status in (200, 404)


@pytest.mark.parametrize(("method", "path"), OF_ADMINS)
def test_a_viewer_may_not_do_what_is_for_admins(stack: Stack, method: str, path: str) -> None:
    assert stack.call(method, path, stack.viewer["token"]).code == "forbidden"


@pytest.mark.parametrize(("method", "path"), OF_VIEWERS)
def test_a_machine_reads_what_viewers_read(stack: Stack, machine_token: str, method: str, path: str) -> None:
    assert stack.call(method, path, machine_token).status in (200, 404)


@pytest.mark.parametrize(("method", "path"), OF_ADMINS)
def test_a_machine_changes_nothing(stack: Stack, machine_token: str, method: str, path: str) -> None:
    assert stack.call(method, path, machine_token).code == "forbidden"


def test_a_machine_gets_no_token_of_another_scope(stack: Stack) -> None:
    pool = str(stack.issuer).rsplit("/", 1)[1]
    for scope in ("billhook/write", "openid", "aws.cognito.signin.user.admin"):
        answer = users.machine_token(stack.aws_endpoint_url, pool, scope)
        assert (answer.status, answer.json["error"]) == (400, "invalid_scope"), scope


def test_deliveries_and_the_console_need_no_token(stack: Stack) -> None:
    public = {(method, path) for method, path, role in OPERATIONS if role == "public"}
    console = {("GET", "/"), ("GET", "/assets/none.js"), ("GET", "/config.json")}
    deliveries = {("GET", "/webhooks/no-such-endpoint"), ("POST", "/webhooks/no-such-endpoint")}
    assert public == console | deliveries
    assert [stack.call(*one).status for one in sorted(console)] == [200, 404, 200]
    assert (
        stack.call("POST", "/webhooks/no-such-endpoint", None, {"id": "evt_none"}).code == "endpoint_unknown"
    )
