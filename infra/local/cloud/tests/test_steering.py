"""What an admin does by hand to events takes effect through the whole chain as deployed."""

import json
import time
from collections.abc import Iterator

import pytest
from delivering import Endpoint, event
from localcloud import client
from localcloud.client import Answer
from localcloud.stack import Stack

# A replayed event rings the doorbell; what it missed waits for the sweep, and its two minutes' grace.
APPLIED_S = 240.0
# A change of the rules holds everywhere after ten seconds.
RULES_HOLD_S = 60.0


@pytest.fixture(autouse=True)
def nothing_ignored_afterwards(stack: Stack) -> Iterator[None]:
    """The rules hold for the whole stack."""
    yield
    assert stack.admin_call("PATCH", "/settings", {"ignore": []}).status == 200


def sent(endpoint: Endpoint, body: str) -> str:
    """Delivers an event, and gives its id."""
    answer = endpoint.deliver(body, endpoint.sign(body))
    assert answer.status == 200, answer.text
    return str(answer.json["event"])


def shown(stack: Stack, event_id: str, state: str) -> Answer:
    """The event, once it is in this state."""
    return client.until(
        lambda: stack.admin_call("GET", f"/events/{event_id}"),
        lambda answer: answer.status == 200 and answer.json["state"] == state,
        APPLIED_S,
        pause=1.0,
    )


def test_what_is_ignored_is_applied_when_it_is_replayed_after_the_pattern_went(stack: Stack, endpoint: Endpoint) -> None:
    customer = f"cus_Steered{time.time_ns()}"
    changed = {"data": {"object": {"object": "customer", "id": customer, "created": 1_785_000_000}}}
    assert stack.admin_call("PATCH", "/settings", {"ignore": ["customer.updated"]}).json["ignore"] == ["customer.updated"]

    def ignored() -> dict[str, str]:
        """Events go on to be applied until the new rule has reached every process."""
        found = shown_final(stack, sent(endpoint, event(**changed)))
        return {"id": found.json["id"], "state": found.json["state"], "reason": str(found.json["reason"])}

    last = client.until(ignored, lambda event: event["state"] == "ignored", RULES_HOLD_S)
    assert last["reason"] == "filter"

    assert stack.admin_call("PATCH", "/settings", {"ignore": []}).status == 200

    def replayed() -> str:
        """The old rule holds for ten seconds more."""
        answer = stack.admin_call("POST", "/events/replay", {"state": "ignored", "reason": "filter", "type": "customer.*"})
        assert answer.status == 200, answer.text
        return str(shown_final(stack, last["id"]).json["state"])

    assert client.until(replayed, lambda state: state != "ignored", RULES_HOLD_S) in {"processed", "superseded"}
    record = stack.admin_call("GET", f"/records/customers/{customer}")
    assert record.status == 200 and record.json["id"] == customer
    history = [change["state"] for change in stack.admin_call("GET", f"/events/{last['id']}").json["history"]]
    assert history[:3] == ["pending", "ignored", "pending"] and history[-1] in {"processed", "superseded"}


def shown_final(stack: Stack, event_id: str) -> Answer:
    """The event, once it waits for nothing."""
    return client.until(
        lambda: stack.admin_call("GET", f"/events/{event_id}"),
        lambda answer: answer.status == 200 and answer.json["state"] not in {"pending", "failed"},
        APPLIED_S,
        pause=0.5,
    )


def test_what_is_set_aside_is_closed_with_who_and_why(stack: Stack, endpoint: Endpoint) -> None:
    event_id = sent(endpoint, json.dumps(json.loads(event()) | {"livemode": True}))
    assert shown(stack, event_id, "quarantined").json["reason"] == "a live event at a test stack"
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
    acts = [act for act in stack.admin_call("GET", "/audit").json["data"] if act["target"] == event_id]
    assert sorted((act["action"], act["result"]) for act in acts) == [
        ("events.discard", "done"),
        ("events.discard", "forbidden"),
        ("events.discard", "parameter_missing"),
    ]


def test_a_reconciliation_is_run_by_an_admin_and_seen_in_the_status(stack: Stack, endpoint: Endpoint) -> None:
    found = client.until(
        lambda: stack.admin_call("POST", "/reconcile", {}),
        # The schedule may be at it at this very moment.
        lambda answer: answer.status != 409,
        60.0,
        pause=2.0,
    )
    assert found.status == 200, found.text
    assert (found.json["endpoints"], found.json["events"], found.json["more"]) == ("ok", "ok", False)
    assert stack.call("POST", "/reconcile", stack.viewer["token"], {}).status == 403
    status = stack.admin_call("GET", "/status").json
    main = next(one for one in status["endpoints"] if one["name"] == "main")
    checks = {check["code"]: check for check in status["checks"] + main["checks"]}
    assert checks["reconciled_lately"]["evidence"]["reconciled_at"] is not None
    for code in ("reconciled_lately", "events_readable", "deliveries_arrive", "clock", "strangers_at_stripe"):
        assert checks[code]["ok"], checks[code]
    assert stack.admin_call("GET", "/status?live=true").json["status"] == status["status"]
