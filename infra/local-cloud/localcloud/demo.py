"""The story that `make demo` tells: from nothing registered to billing records that equal Stripe's, and back.

It knows Billhook by its HTTP API alone. Each step says what is done and what came back, and ends the demo when that is
not what was promised.
"""

import hashlib
import hmac
import json
import signal
import time
from collections.abc import Callable
from typing import Any

from . import client, stack
from .client import Answer
from .stack import Stack
from .surroundings import Slot, free_port

# Where Stripe has the objects of each kind of record that is shown.
SHOWN = {
    "payments": "payment_intents",
    "subscriptions": "subscriptions",
    "customers": "customers",
    "refunds": "refunds",
    "disputes": "disputes",
}
FINAL = {"processed", "superseded", "ignored"}
# The doorbell rings within a second; what it missed waits for the sweep of the next minute, and its two minutes' grace.
APPLIED_S = 240.0


class Surprise(Exception):
    """An answer that is not the promised one."""


def main() -> int:
    """A stack of its own, beside any other, and the story on it; nothing is left running, whatever happens."""
    slot = Slot("demo")
    began = time.monotonic()
    with stack.held(slot):
        stack.down(slot)
        try:
            print("A local cloud of its own", flush=True)
            ready = stack.up(slot, free_port(), say=lambda line: print(f"   · {line}", flush=True))
            tell(ready, say=lambda line: print(line, flush=True))
        except (Surprise, TimeoutError) as surprise:
            print(f"\nThe story ends here: {surprise}\nLogs: {slot.logs}/", flush=True)
            return 1
        finally:
            # A second Ctrl-C must not leave half of it running.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            ended = stack.down(slot)
            print(f"\nNothing is left running ({ended} processes ended).", flush=True)
    print(f"The whole story took {time.monotonic() - began:.0f} seconds.")
    return 0


def tell(on: Stack, say: Callable[[str], None]) -> None:
    """The story; raises at the first answer that is not the promised one."""
    for number, chapter in enumerate(CHAPTERS, start=1):
        say(f"\n{number}. {chapter.__doc__}")
        chapter(on, lambda line: say(f"   {line}"))


def _nothing_yet(on: Stack, say: Callable[[str], None]) -> None:
    """Nothing is registered yet, and status says so"""
    _status(on, "inactive", say)


def _register(on: Stack, say: Callable[[str], None]) -> None:
    """The admin registers a webhook, with one call"""
    answer = on.admin_call("POST", "/endpoints", {"name": "main"})
    _expect(answer, 201, "POST /endpoints")
    made = answer.json
    say(f"POST /endpoints → 201: {made['stripe_id']} at Stripe sends to {made['url']}")
    say(f"{len(made['events'])} types of events; the signing secret is shown this once: {made['signing_secret'][:8]}…")


def _deliveries(on: Stack, say: Callable[[str], None]) -> None:
    """Customers subscribe, pay, get refunds and dispute; Stripe sends signed events of it all"""
    before = set(_events_at_stripe(on))
    told = client.call("POST", f"{on.stripe_control_url}/story")
    if told.status // 100 != 2:
        raise Surprise(f"the simulated Stripe did not tell its story: {told.status} {told.text}")
    sent = {event: kind for event, kind in _events_at_stripe(on).items() if event not in before}
    if not sent:
        raise Surprise("the simulated Stripe has no new events")
    say(f"Stripe made {len(sent)} events of {len(set(sent.values()))} types")

    def states() -> dict[str, str]:
        return {event: state for event, state in _ledger(on).items() if event in sent}

    seen = client.until(states, lambda rows: rows.keys() == sent.keys() and set(rows.values()) <= FINAL, APPLIED_S)
    counts = ", ".join(f"{list(seen.values()).count(state)} {state}" for state in sorted(set(seen.values())))
    say(f"GET /events → the ledger has each of them: {counts}")


def _records(on: Stack, say: Callable[[str], None]) -> None:
    """The billing records say what Stripe says"""
    for kind, at_stripe in SHOWN.items():
        answer = on.admin_call("GET", f"/records/{kind}?limit=100")
        _expect(answer, 200, f"GET /records/{kind}")
        records = answer.json["data"]
        if not records:
            raise Surprise(f"there are no {kind}")
        for record in records:
            _compare(on, kind, at_stripe, record)
        say(f"GET /records/{kind} → {len(records)}, each as at Stripe; such as {_line(records[0])}")
    payments = on.admin_call("GET", "/records/payments?limit=100").json["data"]
    say(f"payments by state: {', '.join(sorted(payment['state'] for payment in payments))}")


def _forged(on: Stack, say: Callable[[str], None]) -> None:
    """Someone without the secret sends an event"""
    body = json.dumps({"id": "evt_forged", "object": "event", "type": "payment_intent.succeeded"}).encode()
    now = int(time.time())
    signature = hmac.new(b"whsec_guessed", f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    answer = client.send(
        "POST", f"{on.api_url}/webhooks/main", body,
        {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={signature}"},
    )
    _expect(answer, 400, "POST /webhooks/main", code="signature_mismatch")
    say(f"POST /webhooks/main → 400 {answer.code}")
    _expect(on.admin_call("GET", "/events/evt_forged"), 404, "GET /events/evt_forged")
    say("GET /events/evt_forged → 404: it left no trace")


def _viewer(on: Stack, say: Callable[[str], None]) -> None:
    """A viewer may look, and may not register"""
    token = on.viewer["token"]
    _expect(on.call("GET", "/endpoints", token), 200, "GET /endpoints as viewer")
    answer = on.call("POST", "/endpoints", token, {"name": "mine"})
    _expect(answer, 403, "POST /endpoints as viewer")
    say(f"GET /endpoints → 200, POST /endpoints → 403 {answer.code}")
    _expect(on.call("POST", "/endpoints", None, {"name": "mine"}), 401, "POST /endpoints without a token")
    say("and without a token: 401")


def _active(on: Stack, say: Callable[[str], None]) -> None:
    """It works, and status says so"""
    _status(on, "active", say)


def _deregister(on: Stack, say: Callable[[str], None]) -> None:
    """The admin deregisters"""
    answer = on.admin_call("DELETE", "/endpoints/main?confirm=main")
    _expect(answer, 204, "DELETE /endpoints/main?confirm=main")
    say("DELETE /endpoints/main?confirm=main → 204: gone at Stripe, and its secret with it")
    listed = _at_stripe(on, "webhook_endpoints?limit=100")
    if listed["data"]:
        raise Surprise(f"Stripe still has {[endpoint['id'] for endpoint in listed['data']]}")
    say("Stripe lists no endpoint any more")


def _inactive(on: Stack, say: Callable[[str], None]) -> None:
    """Status says Inactive again; the records stay"""
    _status(on, "inactive", say)
    answer = on.admin_call("GET", "/audit")
    _expect(answer, 200, "GET /audit")
    say(f"GET /audit → who did what: {len(answer.json['data'])} lines")


CHAPTERS = (_nothing_yet, _register, _deliveries, _records, _forged, _viewer, _active, _deregister, _inactive)


def _status(on: Stack, wanted: str, say: Callable[[str], None]) -> None:
    """Asks for the status until it is the wanted one, within the ten seconds that a change takes to hold everywhere."""

    def ask() -> Answer:
        return on.admin_call("GET", "/status")

    answer = client.until(ask, lambda seen: seen.status == 200 and seen.json["status"] == wanted, 15.0)
    say(f"GET /status → {answer.json['status']}")
    every = answer.json["checks"] + [check for endpoint in answer.json["endpoints"] for check in endpoint["checks"]]
    for check in every:
        if not check["ok"]:
            say(f"  {check['severity']}: {check['summary']}")


def _ledger(on: Stack) -> dict[str, str]:
    """Each event in the ledger, and its state."""
    states: dict[str, str] = {}
    cursor = ""
    while True:
        answer = on.admin_call("GET", f"/events?limit=100{cursor}")
        _expect(answer, 200, "GET /events")
        states |= {event["id"]: event["state"] for event in answer.json["data"]}
        if not answer.json["next_cursor"]:
            return states
        cursor = f"&cursor={answer.json['next_cursor']}"


def _compare(on: Stack, kind: str, at_stripe: str, record: dict[str, Any]) -> None:
    """Stripe's object and our record of it must have the same status; a deleted one is gone at both."""
    theirs = _at_stripe(on, f"{at_stripe}/{record['id']}")
    if bool(theirs.get("deleted")) != record["deleted"] or theirs.get("status") != record["status"]:
        raise Surprise(f"{kind} {record['id']} is {_line(record)} here and {theirs.get('status')} at Stripe")


def _line(record: dict[str, Any]) -> str:
    """A record in a few words."""
    words = [record["id"], record.get("state") or record["status"] or "", "deleted" if record["deleted"] else ""]
    return " ".join(word for word in words if word)


def _events_at_stripe(on: Stack) -> dict[str, str]:
    """Each event that Stripe lists, and its type."""
    events: dict[str, str] = {}
    after = ""
    while True:
        page = _at_stripe(on, f"events?limit=100{after}")
        events |= {event["id"]: event["type"] for event in page["data"]}
        if not page["has_more"]:
            return events
        after = f"&starting_after={page['data'][-1]['id']}"


def _at_stripe(on: Stack, path: str) -> dict[str, Any]:
    answer = client.call("GET", f"{on.stripe_api_base}/v1/{path}", on.stripe_api_key)
    _expect(answer, 200, f"GET /v1/{path} at Stripe")
    return answer.json


def _expect(answer: Answer, status: int, what: str, code: str | None = None) -> None:
    if answer.status != status or (code and answer.code != code):
        raise Surprise(f"{what} answered {answer.status} instead of {status}: {answer.text[:500]}")
