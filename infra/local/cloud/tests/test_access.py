"""Deliveries need a signature, everything else a token, and changes an admin's."""

import base64
import json

import pytest

from localcloud.stack import Stack

READS = [
    ("GET", "/endpoints"),
    ("GET", "/endpoints/main"),
    ("GET", "/settings"),
    ("GET", "/status"),
    ("GET", "/records/payments"),
    ("GET", "/records/payments/pi_none"),
    ("GET", "/events"),
    ("GET", "/events/evt_none"),
    ("GET", "/audit"),
]
CHANGES = [
    ("POST", "/endpoints"),
    ("DELETE", "/endpoints/main?confirm=main"),
    ("PUT", "/settings/stripe-key"),
]
BODIES = {"/endpoints": {"name": "main"}, "/settings/stripe-key": {"key": "sk_test_of_someone_else"}}


@pytest.mark.parametrize(("method", "path"), READS + CHANGES)
def test_without_a_token_nothing_is_read_or_changed(stack: Stack, method: str, path: str) -> None:
    response = stack.call(method, path, None, BODIES.get(path))
    # From API Gateway, in its own form: the function never runs.
    assert (response.status, response.json) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize(("method", "path"), READS + CHANGES)
def test_a_token_that_was_tampered_with_is_refused(stack: Stack, method: str, path: str) -> None:
    head, claims, signature = stack.viewer["token"].split(".")
    payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    promoted = json.dumps(payload | {"cognito:groups": ["admin"]}).encode()
    forged = ".".join([head, base64.urlsafe_b64encode(promoted).decode().rstrip("="), signature])
    assert stack.call(method, path, forged, BODIES.get(path)).status == 401


def test_what_is_no_token_is_refused(stack: Stack) -> None:
    assert stack.call("GET", "/status", "no.token.atall").status == 401


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_viewer_reads(stack: Stack, method: str, path: str) -> None:
    # 404 where there is nothing to see: the viewer was let in to find that out.
    assert stack.call(method, path, stack.viewer["token"]).status in (200, 404)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_viewer_changes_nothing(stack: Stack, method: str, path: str) -> None:
    response = stack.call(method, path, stack.viewer["token"], BODIES.get(path))
    assert (response.status, bool(response.code)) == (403, True)
    assert stack.admin_call("GET", "/endpoints").json["data"] == []


@pytest.mark.parametrize(("method", "path"), READS + CHANGES)
def test_a_user_in_no_group_has_no_role(
    stack: Stack, token_without_group: str, method: str, path: str
) -> None:
    assert stack.call(method, path, token_without_group, BODIES.get(path)).status == 403


@pytest.mark.parametrize(("method", "path"), READS + CHANGES)
def test_a_group_whose_name_contains_admin_is_not_admin(
    stack: Stack, token_of_similar_group: str, method: str, path: str
) -> None:
    # API Gateway writes this one group as "[billing admin]", just as it would write two.
    assert stack.call(method, path, token_of_similar_group, BODIES.get(path)).status == 403


@pytest.mark.parametrize("path", ["/nothing", "/endpoint", "/webhooks", "/webhooks/main/more"])
def test_what_is_no_route_is_answered_by_the_gateway(stack: Stack, path: str) -> None:
    response = stack.call("GET", path, stack.admin["token"])
    assert (response.status, response.json) == (404, {"message": "Not Found"})


@pytest.mark.parametrize("name", ["main", "nobody-registered-this"])
def test_who_looks_at_the_address_of_a_webhook_is_told_what_it_is(stack: Stack, name: str) -> None:
    response = stack.call("GET", f"/webhooks/{name}", None)
    assert (response.status, response.code) == (405, "method_not_allowed")
    assert "Stripe sends events here" in response.json["error"]["message"]


def test_a_delivery_to_an_unknown_endpoint_is_not_found(stack: Stack) -> None:
    response = stack.call("POST", "/webhooks/nobody-registered-this", None, {"id": "evt_lost"})
    assert (response.status, response.code) == (404, "endpoint_unknown")
