"""Each failure is caused on the stack as deployed; status names it, and no other, until it is remedied."""

import itertools
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from endpoint_case import SOON_S, EndpointCase, RewritingProxy, broken_function
from localcloud import client
from localcloud.settings import ROOT, free_port
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def nothing_quarantined(stack: Stack) -> None:
    """Discards the quarantined events that other tests leave."""
    response = stack.admin_call("POST", "/events/discard", {"state": "quarantined", "why": "of another test"})
    assert response.status == 200, response.text


@pytest.fixture
def case(stack: Stack) -> Iterator[EndpointCase]:
    """An endpoint of its own for each failure, so that no process holds anything of another's."""
    made = EndpointCase(stack, f"failure-{next(_numbers)}")
    yield made
    made.control("DELETE", "/faults")
    made.control("PUT", "/keys", [{"secret": stack.stripe_api_key}])
    made.control("POST", "/clock", {"date_skew": 0})
    made.deregister()


Failure = Callable[[EndpointCase], None]


def error_500(method: str) -> dict[str, Any]:
    """Returns a fault of the simulated Stripe: each of these calls about endpoints is answered 500."""
    return {
        "method": method,
        "path": "/v1/webhook_endpoints",
        "effect": {"answer": {"status": 500}},
        "times": 99,
    }


def disable(case: EndpointCase) -> None:
    case.change_at_stripe(disabled=True)
    case.miss_event("listed")
    assert case.reconcile()["filled"] >= 1


def repair(case: EndpointCase) -> None:
    """Repairs the endpoint, which is the remedy of most checks."""
    response = case.stack.admin_call("POST", f"/endpoints/{case.name}/repair")
    assert response.status == 200, response.text


def delete(case: EndpointCase) -> None:
    case.control("DELETE", f"/endpoints/{case.registered['stripe_id']}")


def fewer_events(case: EndpointCase) -> None:
    case.change_at_stripe(enabled_events=["invoice.paid"])


def other_url(case: EndpointCase) -> None:
    case.change_at_stripe(url="https://example.com/hooks")


def other_version(case: EndpointCase) -> None:
    case.change_at_stripe(api_version="2020-08-27")


def lose_secret(case: EndpointCase) -> None:
    secrets = case.stack.aws("secretsmanager")
    listed = secrets.list_secrets(MaxResults=100)["SecretList"]
    name = next(secret["Name"] for secret in listed if f"/endpoints/{case.name}/" in secret["Name"])
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def revoke_key(case: EndpointCase) -> None:
    case.control("PUT", "/keys", [])


def restore_key(case: EndpointCase) -> None:
    case.control("PUT", "/keys", [{"secret": case.stack.stripe_api_key}])
    case.reconcile()


def forbid_events(case: EndpointCase) -> None:
    case.control(
        "PUT", "/keys", [{"secret": case.stack.stripe_api_key, "rights": ["webhook_endpoints:write"]}]
    )
    case.reconcile()


def forbid_endpoints(case: EndpointCase) -> None:
    case.control("PUT", "/keys", [{"secret": case.stack.stripe_api_key, "rights": ["events:read"]}])


def stop_reconciling(case: EndpointCase) -> None:
    """Makes the last reconciliation look like one of twenty minutes ago, and the key older than that."""
    past = {":past": {"N": str(int((time.time() - 1200) * 1000))}}
    for kind, field in (("facts", "at"), ("settings", "since")):
        case.stack.aws("dynamodb").update_item(
            TableName=case.stack.tables["registry"],
            Key={"kind": {"S": kind}, "name": {"S": "stack"}},
            UpdateExpression="SET #field = :past",
            ExpressionAttributeNames={"#field": field},
            ExpressionAttributeValues=past,
        )


def reconcile(case: EndpointCase) -> None:
    case.reconcile()


def shift_clock(case: EndpointCase) -> None:
    case.control("POST", "/clock", {"date_skew": -400})


def set_clock(case: EndpointCase) -> None:
    case.control("POST", "/clock", {"date_skew": 0})


def stripe_fails(case: EndpointCase) -> None:
    case.control("POST", "/faults", error_500("GET"))
    # What Stripe said before would be used, with a warning.
    case.reconcile()


def stripe_recovers(case: EndpointCase) -> None:
    case.control("DELETE", "/faults")


def unknown_endpoint(case: EndpointCase) -> None:
    form = urllib.parse.urlencode(
        {"url": f"{case.stack.api_url}/webhooks/{case.name}", "enabled_events[0]": "invoice.paid"}
    )
    headers = {
        "Authorization": f"Bearer {case.stack.stripe_api_key}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    response = client.send(
        "POST", f"{case.stack.stripe_api_base}/v1/webhook_endpoints", form.encode(), headers
    )
    assert response.status == 200, response.text
    case.registered["unknown_endpoint"] = response.json["id"]


def delete_unknown_endpoint(case: EndpointCase) -> None:
    case.control("DELETE", f"/endpoints/{case.registered['unknown_endpoint']}")


def other_mode(case: EndpointCase) -> None:
    endpoint = Endpoint(case.registered["url"], case.registered["signing_secret"])
    body = event(livemode=True)
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    case.registered["event"] = json.loads(body)["id"]
    client.poll(
        lambda: case.stack.admin_call("GET", f"/events/{case.registered['event']}").json["state"],
        lambda state: state == "quarantined",
        240.0,
    )


def discard(case: EndpointCase) -> None:
    response = case.stack.admin_call(
        "POST", f"/events/{case.registered['event']}/discard", {"why": "sent by a test"}
    )
    assert response.status == 200, response.text


def other_secret(case: EndpointCase) -> None:
    case.change_at_stripe(secret="whsec_rolled_in_the_dashboard")
    case.miss_event()
    case.reconcile()
    assert "another secret" in case.summary("signatures_match")


FAILURES: list[tuple[Failure, set[str], Failure]] = [
    (disable, {"enabled_at_stripe"}, repair),
    (delete, {"at_stripe"}, repair),
    (fewer_events, {"events_as_wanted"}, repair),
    (other_url, {"url_as_wanted"}, repair),
    (other_version, {"api_version_as_wanted"}, EndpointCase.register_again),
    (lose_secret, {"secret_present"}, repair),
    (revoke_key, {"stripe_key_accepted"}, restore_key),
    (forbid_events, {"events_readable"}, restore_key),
    (forbid_endpoints, {"stripe_key_rights"}, restore_key),
    (stop_reconciling, {"reconciled_lately"}, reconcile),
    (shift_clock, {"clock"}, set_clock),
    (stripe_fails, {"stripe_answers"}, stripe_recovers),
    (unknown_endpoint, {"strangers_at_stripe"}, delete_unknown_endpoint),
    (other_mode, {"events_quarantined"}, discard),
    (other_secret, {"deliveries_arrive", "signatures_match"}, EndpointCase.register_again),
]


@pytest.mark.parametrize(
    ("cause", "expected", "remedy"), FAILURES, ids=[failure[0].__name__ for failure in FAILURES]
)
def test_a_failure_is_named_and_gone_when_its_remedy_was_followed(
    case: EndpointCase, cause: Failure, expected: set[str], remedy: Failure
) -> None:
    case.register()
    case.reconcile()
    status, before = case.status()
    assert status == "active"
    cause(case)
    status, failing = case.status()
    assert failing - before == expected
    warned = {"strangers_at_stripe", "events_quarantined"}
    assert status == ("active" if expected <= warned else "error")
    remedy(case)
    assert case.status() == ("active", before)


def test_a_proxy_that_rewrites_bodies_is_told_apart_from_a_wrong_secret(case: EndpointCase) -> None:
    proxy = RewritingProxy(case.stack.api_url)
    try:
        case.url = f"{proxy.url}/webhooks/{case.name}"
        case.register()
        case.reconcile()
        _, before = case.status()
        proxy.rewrites = True
        missed = case.miss_event()
        assert case.reconcile()["filled"] >= 1
        status, failing = case.status()
        assert (status, failing - before) == ("error", {"deliveries_arrive", "signatures_match"})
        assert "a request of ours was" in case.summary("signatures_match")
        assert steps_of(case)["body_unchanged"] is False
        proxy.rewrites = False
        assert set(steps_of(case).values()) == {True}
        case.control("POST", f"/events/{missed}/resend", {"endpoint": case.registered["stripe_id"]})
        assert client.poll(case.status, lambda seen: seen[0] == "active", SOON_S) == ("active", before)
    finally:
        proxy.server.shutdown()


def steps_of(case: EndpointCase) -> dict[str, bool | None]:
    """Tests the endpoint; returns the outcome of each step."""
    response = case.stack.admin_call("POST", f"/endpoints/{case.name}/test")
    assert response.status == 200, response.text
    return {step["step"]: step["ok"] for step in response.json["steps"]}


def test_a_url_where_nothing_answers_is_reported(case: EndpointCase) -> None:
    case.url = f"http://127.0.0.1:{free_port()}/webhooks/{case.name}"
    case.register()
    case.reconcile()
    status, before = case.status()
    assert status == "error", "before any event is missed"
    assert "probe_arrives" in before
    case.miss_event("listed")
    case.reconcile()
    status, failing = case.status()
    assert (status, failing - before) == ("error", {"deliveries_arrive"})
    assert (steps_of(case)["name"], steps_of(case)["connection"], steps_of(case)["stored"]) == (
        True,
        False,
        None,
    )
    case.url = None
    case.register_again()
    case.reconcile()
    assert case.status() == ("active", before - {"probe_arrives"})


def test_a_process_function_that_fails_is_reported_by_its_backlog(case: EndpointCase) -> None:
    case.register()
    case.reconcile()
    _, before = case.status()
    endpoint = Endpoint(case.registered["url"], case.registered["signing_secret"])
    with broken_function(case.stack, "process", "LEDGER_TABLE") as repair_function:
        body = event()
        event_id = json.loads(body)["id"]
        assert endpoint.deliver(body, endpoint.sign(body)).status == 200
        # As if minutes had passed.
        key = {"id": {"S": event_id}, "part": {"N": "0"}}
        case.stack.aws("dynamodb").update_item(
            TableName=case.stack.tables["ledger"],
            Key=key,
            UpdateExpression="SET due_at = :past",
            ExpressionAttributeValues={":past": {"N": str(int((time.time() - 300) * 1000))}},
        )
        status, failing = case.status()
        assert (status, failing - before) == ("error", {"backlog"})
        repair_function()
    sweep = (ROOT / "events" / "process" / "sweep.json").read_bytes()
    case.stack.aws("lambda").invoke(FunctionName=case.stack.functions["process"], Payload=sweep)
    client.poll(case.status, lambda seen: seen == ("active", before), 240.0, interval=2.0)


def test_events_that_fail_for_long_are_reported_with_the_reason(case: EndpointCase) -> None:
    case.register()
    case.reconcile()
    _, before = case.status()
    endpoint = Endpoint(case.registered["url"], case.registered["signing_secret"])
    body = event()
    event_id = json.loads(body)["id"]
    with broken_function(case.stack, "process", "RECORDS_TABLE") as repair_function:
        assert endpoint.deliver(body, endpoint.sign(body)).status == 200
        failed = client.poll(
            lambda: case.stack.admin_call("GET", f"/events/{event_id}").json,
            lambda seen: seen["state"] in {"failed", "dead"},
            240.0,
        )
        if failed["state"] == "failed":
            assert case.status() == ("active", before), "it is tried again by itself"
            case.stack.aws("dynamodb").update_item(
                TableName=case.stack.tables["ledger"],
                Key={"id": {"S": event_id}, "part": {"N": "0"}},
                UpdateExpression="SET received_at = :past",
                ExpressionAttributeValues={":past": {"N": str(int((time.time() - 700) * 1000))}},
            )
        status, failing = case.status()
        assert (status, failing - before) == ("error", {"events_failed"})
        repair_function()
    assert case.stack.admin_call("POST", f"/events/{event_id}/replay", {"why": "repaired"}).status == 200
    client.poll(case.status, lambda seen: seen == ("active", before), 240.0, interval=2.0)


def test_a_receive_function_that_cannot_store_is_reported(case: EndpointCase) -> None:
    case.register()
    case.reconcile()
    _, before = case.status()
    with broken_function(case.stack, "receive", "LEDGER_TABLE") as repair_function:
        missed = case.miss_event()
        assert case.attempts(missed)[0]["status"] == 503
        assert case.reconcile()["filled"] >= 1
        status, failing = case.status()
        assert (status, failing - before) == ("error", {"deliveries_arrive", "probe_arrives"})
        repair_function()
    case.control("POST", f"/events/{missed}/resend", {"endpoint": case.registered["stripe_id"]})
    client.poll(case.status, lambda seen: seen == ("active", before), SOON_S)


def test_a_registration_that_was_interrupted_is_reported_and_finished_by_the_schedule(
    case: EndpointCase,
) -> None:
    case.control("POST", "/faults", error_500("POST"))
    assert case.stack.admin_call("POST", "/endpoints", {"name": case.name}).status == 503
    case.control("DELETE", "/faults")
    case.set_row(state_since=int((time.time() - 120) * 1000))
    status, failing = case.status()
    assert status == "error" and "registered_whole" in failing
    schedule = (ROOT / "events" / "register" / "schedule.json").read_bytes()
    response = case.stack.aws("lambda").invoke(
        FunctionName=case.stack.functions["register"], Payload=schedule
    )
    assert case.name in json.loads(response["Payload"].read())["registered"]
    # What the schedule has finished is probed by the next reconciliation; until then nothing shows that it
    # works.
    assert case.status()[0] == "inactive"
    audit = case.stack.admin_call("GET", "/audit").json["data"][0]
    assert (audit["action"], audit["target"], audit["subject"]) == (
        "endpoint.register",
        case.name,
        "schedule",
    )
    case.reconcile()
    assert case.status()[0] == "active"


def test_bad_requests_of_anyone_leave_the_status_as_it_was(case: EndpointCase) -> None:
    case.register()
    # One that was never heard cannot tell a stranger's signatures from Stripe's with another secret.
    known = Endpoint(case.registered["url"], case.registered["signing_secret"])
    body = event()
    assert known.deliver(body, known.sign(body)).status == 200
    case.reconcile()
    before = case.status()
    assert before[0] == "active"
    endpoint = Endpoint(case.registered["url"], "whsec_guessed")
    for number in range(200):
        body = event()
        header = [None, "t=1", endpoint.sign(body), endpoint.sign(body, at=1)][number % 4]
        assert endpoint.deliver(body, header).status == 400
    case.reconcile()
    assert case.status() == before
