"""What an admin does by hand to events takes effect through the whole chain as deployed."""

import json
import time
from collections.abc import Iterator

import pytest

from localcloud import client
from localcloud.client import Response
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

# A replayed event rings the doorbell; what it missed waits for the sweep, and its two minutes' grace.
APPLIED_S = 240.0
# A change of the settings holds everywhere after ten seconds.
SETTINGS_HOLD_S = 60.0


@pytest.fixture(autouse=True)
def nothing_ignored_afterwards(stack: Stack) -> Iterator[None]:
    """Resets the settings, which hold for the whole stack."""
    yield
    assert stack.admin_call("PATCH", "/settings", {"ignore": []}).status == 200


def deliver(endpoint: Endpoint, body: str) -> str:
    """Delivers an event; returns its id."""
    response = endpoint.deliver(body, endpoint.sign(body))
    assert response.status == 200, response.text
    return str(response.json["event"])


def event_in_state(stack: Stack, event_id: str, state: str) -> Response:
    """Returns the event once it is in this state."""
    return client.poll(
        lambda: stack.admin_call("GET", f"/events/{event_id}"),
        lambda response: response.status == 200 and response.json["state"] == state,
        APPLIED_S,
        interval=1.0,
    )


def test_what_is_ignored_is_applied_when_it_is_replayed_after_the_pattern_went(
    stack: Stack, endpoint: Endpoint
) -> None:
    customer = f"cus_Steered{time.time_ns()}"
    changed = {"data": {"object": {"object": "customer", "id": customer, "created": 1_785_000_000}}}
    assert stack.admin_call("PATCH", "/settings", {"ignore": ["customer.updated"]}).json["ignore"] == [
        "customer.updated"
    ]

    def ignored() -> dict[str, str]:
        """Sends another event: they are still applied until the new setting has reached every process."""
        found = final_event(stack, deliver(endpoint, event(**changed)))
        return {"id": found.json["id"], "state": found.json["state"], "reason": str(found.json["reason"])}

    last = client.poll(ignored, lambda event: event["state"] == "ignored", SETTINGS_HOLD_S)
    assert last["reason"] == "filter"

    assert stack.admin_call("PATCH", "/settings", {"ignore": []}).status == 200

    def replayed() -> str:
        """Replays what is ignored: the old setting holds for ten seconds more."""
        response = stack.admin_call(
            "POST", "/events/replay", {"state": "ignored", "reason": "filter", "type": "customer.*"}
        )
        assert response.status == 200, response.text
        return str(final_event(stack, last["id"]).json["state"])

    assert client.poll(replayed, lambda state: state != "ignored", SETTINGS_HOLD_S) in {
        "processed",
        "superseded",
    }
    record = stack.admin_call("GET", f"/records/customers/{customer}")
    assert record.status == 200 and record.json["id"] == customer
    history = [change["state"] for change in stack.admin_call("GET", f"/events/{last['id']}").json["history"]]
    assert history[:3] == ["pending", "ignored", "pending"] and history[-1] in {"processed", "superseded"}


def final_event(stack: Stack, event_id: str) -> Response:
    """Returns the event once it is in a final state."""
    return client.poll(
        lambda: stack.admin_call("GET", f"/events/{event_id}"),
        lambda response: response.status == 200 and response.json["state"] not in {"pending", "failed"},
        APPLIED_S,
        interval=0.5,
    )


def test_what_is_set_aside_is_closed_with_who_and_why(stack: Stack, endpoint: Endpoint) -> None:
    event_id = deliver(endpoint, json.dumps(json.loads(event()) | {"livemode": True}))
    assert event_in_state(stack, event_id, "quarantined").json["reason"] == "a live event at a test stack"
    path = f"/events/{event_id}/discard"
    assert stack.admin_call("POST", path, {}).code == "parameter_missing"
    assert stack.call("POST", path, stack.viewer["token"], {"why": "sent by mistake"}).status == 403
    closed = stack.admin_call("POST", path, {"why": "sent by mistake"})
    assert (closed.status, closed.json["state"], closed.json["reason"]) == (
        200,
        "ignored",
        "discarded: sent by mistake",
    )
    assert closed.json["by"] == stack.admin["username"]
    entries = [
        entry for entry in stack.admin_call("GET", "/audit").json["data"] if entry["target"] == event_id
    ]
    assert sorted((entry["action"], entry["result"]) for entry in entries) == [
        ("events.discard", "done"),
        ("events.discard", "forbidden"),
        ("events.discard", "parameter_missing"),
    ]


def test_a_reconciliation_is_run_by_an_admin_and_seen_in_the_status(stack: Stack, endpoint: Endpoint) -> None:
    found = client.poll(
        lambda: stack.admin_call("POST", "/reconcile", {}),
        # The schedule may be at it at this very moment.
        lambda response: response.status != 409,
        60.0,
        interval=2.0,
    )
    assert found.status == 200, found.text
    assert (found.json["endpoints"], found.json["events"], found.json["more"]) == ("ok", "ok", False)
    assert stack.call("POST", "/reconcile", stack.viewer["token"], {}).status == 403
    status = stack.admin_call("GET", "/status").json
    main = next(one for one in status["endpoints"] if one["name"] == "main")
    checks = {check["code"]: check for check in status["checks"] + main["checks"]}
    assert checks["reconciled_lately"]["evidence"]["reconciled_at"] is not None
    for code in ("reconciled_lately", "events_readable", "deliveries_arrive", "clock", "strangers_at_stripe"):
        # Only whether deliveries arrive hangs on what other tests have sent.
        allowed = {"ok", "unknown"} if code == "deliveries_arrive" else {"ok"}
        assert checks[code]["outcome"] in allowed, checks[code]
    assert stack.admin_call("GET", "/status?live=true").json["status"] == status["status"]
