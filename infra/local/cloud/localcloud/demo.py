"""The story that `make demo` tells: from nothing registered to billing records that equal Stripe's, and back.

It knows Billhook by its HTTP API alone. Each step says what is done and what came back, and ends the demo when that is
not what was promised.
"""

import hashlib
import hmac
import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from . import client, stack
from .client import Answer
from .stack import Stack
from .surroundings import Slot, free_port

# Whom the story is about: the name of its id in the story, the kind of record, where Stripe has the object, and the
# state that is derived from it and its companions (`None`: the object's own status).
CAST = (
    ("customer", "customers", "customers", None),
    ("subscription", "subscriptions", "subscriptions", None),
    ("payment_intent", "payments", "payment_intents", "refunded"),
    ("refund", "refunds", "refunds", None),
    ("disputed_payment_intent", "payments", "payment_intents", "disputed"),
    ("dispute", "disputes", "disputes", None),
)
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
            Tale(ready, say=lambda line: print(line, flush=True)).tell()
        except (Surprise, OSError) as surprise:
            print(f"\nThe story ends here: {surprise}\nLogs: {slot.logs}/", flush=True)
            return 1
        finally:
            # A second Ctrl-C must not leave half of it running.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            stack.down(slot)
            print("\nNothing is left running.", flush=True)
    print(f"The whole story took {time.monotonic() - began:.0f} seconds.")
    return 0


class Tale:
    """The story, chapter by chapter; each chapter's docstring is its title."""

    def __init__(self, on: Stack, say: Callable[[str], None]) -> None:
        self._on = on
        self._tell = say
        # The ids of what happened at Stripe.
        self._story: dict[str, Any] = {}

    def tell(self) -> None:
        """All of it; raises at the first answer that is not the promised one."""
        chapters = (
            self._nothing_yet, self._register, self._deliveries, self._records, self._forged, self._viewer,
            self._active, self._deregister, self._inactive,
        )
        for number, chapter in enumerate(chapters, start=1):
            self._tell(f"\n{number}. {chapter.__doc__}")
            try:
                chapter()
            except (LookupError, TypeError) as malformed:
                raise Surprise(f"an answer has not the promised form: {malformed!r}") from malformed

    def _nothing_yet(self) -> None:
        """Nothing is registered yet, and status says so"""
        self._status("inactive")

    def _register(self) -> None:
        """The admin registers a webhook, with one call"""
        answer = self._on.admin_call("POST", "/endpoints", {"name": "main"})
        _expect(answer, 201, "POST /endpoints")
        made = answer.json
        self._say(f"POST /endpoints → 201: {made['stripe_id']} at Stripe sends to {made['url']}")
        self._say(f"its signing secret is shown this once: {made['signing_secret'][:8]}…")

    def _deliveries(self) -> None:
        """A customer subscribes, pays, gets a refund, disputes a payment; Stripe sends signed events of it all"""
        told = client.call("POST", f"{self._on.stripe_control_url}/story")
        _expect(told, 200, "the simulated Stripe")
        self._story = told.json
        events = set(self._story["events"])
        self._say(f"Stripe made {len(events)} events")

        def states() -> dict[str, str]:
            return {event["id"]: event["state"] for event in self._ledger() if event["id"] in events}

        seen = client.until(states, lambda rows: rows.keys() == events and set(rows.values()) <= FINAL, APPLIED_S)
        counts = ", ".join(f"{list(seen.values()).count(state)} {state}" for state in sorted(set(seen.values())))
        self._say(f"GET /events → the ledger has each of them: {counts}")

    def _records(self) -> None:
        """The billing records say what Stripe says"""
        for role, kind, at_stripe, state in CAST:
            path = f"/records/{kind}/{self._story[role]}"
            answer = self._on.admin_call("GET", path)
            _expect(answer, 200, f"GET {path}")
            record, theirs = answer.json, self._at_stripe(f"{at_stripe}/{self._story[role]}")
            if record["status"] != theirs.get("status") or record["deleted"] != bool(theirs.get("deleted")):
                raise Surprise(f"{path} has the status {record['status']}, and {theirs.get('status')} at Stripe")
            if state and record["state"] != state:
                raise Surprise(f"{path} is {record['state']} instead of {state}")
            self._say(f"GET {path} → {state or record['status'] or 'there'}, as at Stripe")

    def _forged(self) -> None:
        """Someone without the secret sends an event"""
        body = json.dumps({"id": "evt_forged", "object": "event", "type": "payment_intent.succeeded"}).encode()
        answer = self._deliver(body, "whsec_guessed")
        _expect(answer, 400, "POST /webhooks/main", code="signature_mismatch")
        self._say(f"POST /webhooks/main → 400 {answer.code}")
        _expect(self._on.admin_call("GET", "/events/evt_forged"), 404, "GET /events/evt_forged")
        self._say("GET /events/evt_forged → 404: it left no trace")

    def _viewer(self) -> None:
        """A viewer may look, and may not register"""
        token = self._on.viewer["token"]
        _expect(self._on.call("GET", "/endpoints", token), 200, "GET /endpoints as viewer")
        answer = self._on.call("POST", "/endpoints", token, {"name": "mine"})
        _expect(answer, 403, "POST /endpoints as viewer")
        self._say(f"GET /endpoints → 200, POST /endpoints → 403 {answer.code}")
        _expect(self._on.call("POST", "/endpoints", None, {"name": "mine"}), 401, "POST /endpoints without a token")
        self._say("without a token: 401")

    def _active(self) -> None:
        """It works, and status says so"""
        self._status("active")

    def _deregister(self) -> None:
        """The admin deregisters"""
        answer = self._on.admin_call("DELETE", "/endpoints/main?confirm=main")
        _expect(answer, 204, "DELETE /endpoints/main?confirm=main")
        self._say("DELETE /endpoints/main?confirm=main → 204")
        listed = self._at_stripe("webhook_endpoints?limit=100")["data"]
        if listed:
            raise Surprise(f"Stripe still has {[endpoint['id'] for endpoint in listed]}")
        self._say("Stripe lists no endpoint any more")

    def _inactive(self) -> None:
        """Status says Inactive again; the records and the audit stay"""
        self._status("inactive")
        path = f"/records/customers/{self._story['customer']}"
        _expect(self._on.admin_call("GET", path), 200, f"GET {path}")
        self._say(f"GET {path} → still there")
        answer = self._on.admin_call("GET", "/audit")
        _expect(answer, 200, "GET /audit")
        self._say(f"GET /audit → {len(answer.json['data'])} lines of who did what")

    def _deliver(self, body: bytes, secret: str) -> Answer:
        """Sends an event as Stripe does, signed with a secret."""
        now = int(time.time())
        signature = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return client.send(
            "POST", f"{self._on.api_url}/webhooks/main", body,
            {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={signature}"},
        )

    def _say(self, line: str) -> None:
        self._tell(f"   {line}")

    def _status(self, wanted: str) -> None:
        """Asks until the status is the wanted one: a change holds everywhere after ten seconds."""

        def ask() -> Answer:
            return self._on.admin_call("GET", "/status")

        answer = client.until(ask, lambda seen: seen.status == 200 and seen.json["status"] == wanted, 15.0)
        self._say(f"GET /status → {answer.json['status']}")
        every = answer.json["checks"] + [check for endpoint in answer.json["endpoints"] for check in endpoint["checks"]]
        for check in every:
            if not check["ok"]:
                self._say(f"  {check['severity']}: {check['summary']}")

    def _ledger(self) -> Iterator[dict[str, Any]]:
        """Each event in the ledger."""
        cursor = ""
        while True:
            answer = self._on.admin_call("GET", f"/events?limit=100{cursor}")
            _expect(answer, 200, "GET /events")
            yield from answer.json["data"]
            if not answer.json["next_cursor"]:
                return
            cursor = f"&cursor={quote(answer.json['next_cursor'])}"

    def _at_stripe(self, path: str) -> dict[str, Any]:
        answer = client.call("GET", f"{self._on.stripe_api_base}/v1/{path}", self._on.stripe_api_key)
        _expect(answer, 200, f"GET /v1/{path} at Stripe")
        return answer.json


def _expect(answer: Answer, status: int, what: str, code: str | None = None) -> None:
    if answer.status != status or (code and answer.code != code):
        raise Surprise(f"{what} answered {answer.status} instead of {status}: {answer.text[:500]}")
