"""What `make demo` shows: from nothing registered to billing records that equal Stripe's, and back.

It uses Billhook's HTTP API alone. Each step prints the requests and what came back, and the demo ends at the
first response that is not the promised one.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from . import client, signals, stack
from .client import Response
from .progress import Reporter
from .settings import StackPaths, free_port
from .stack import Stack


@dataclass(frozen=True)
class ExpectedRecord:
    """An object that the simulated Stripe makes, and the record that is expected of it."""

    # The member of the simulated Stripe's answer that holds the object's id.
    id_member: str
    # The kind of record, in the paths of Billhook and of Stripe.
    kind: str
    stripe_path: str
    # The state that is derived from the object and what belongs to it; `None` means the object's own status.
    state: str | None = None


EXPECTED_RECORDS = (
    ExpectedRecord("customer", "customers", "customers"),
    ExpectedRecord("subscription", "subscriptions", "subscriptions"),
    ExpectedRecord("payment_intent", "payments", "payment_intents", "refunded"),
    ExpectedRecord("refund", "refunds", "refunds"),
    ExpectedRecord("disputed_payment_intent", "payments", "payment_intents", "disputed"),
    ExpectedRecord("dispute", "disputes", "disputes"),
)
FINAL_STATES = {"processed", "superseded", "ignored"}
# The table's stream wakes `process` within a second; what it missed waits for the sweep of the next minute,
# and its two minutes' grace.
APPLIED_TIMEOUT_S = 240.0

NEXT_STEPS = """
Next:
  make up       the same local cloud, left running, with the console for a browser at
                {console_url}
  make test     the tests and checks of this repository
  README.md     what each part does, and how to deploy it to AWS
"""


class UnexpectedResponse(Exception):
    """A response that is not the promised one."""


def main() -> int:
    """Runs the demo on a stack of its own, beside any other; nothing is left running, whatever happens."""
    paths = StackPaths("demo")
    began = time.monotonic()
    with stack.locked(paths):
        print("Starting a local cloud", flush=True)
        stack.down(paths)
        try:
            started = stack.up(paths, free_port(), Reporter(indent="   "))
            Demo(started, output=lambda line: print(line, flush=True)).run()
        except (UnexpectedResponse, OSError) as error:
            print(f"\nThe demo ends here: {error}\nLogs: {paths.logs}/", flush=True)
            return 1
        finally:
            with signals.deferred():
                stack.down(paths)
                print("\nNothing is left running.", flush=True)
    print(f"The demo took {time.monotonic() - began:.0f} seconds.")
    endpoint = f"http://localhost:{stack.DEFAULT_PORT}"
    print(NEXT_STEPS.format(console_url=stack.console_url(endpoint)), end="")
    return 0


class Demo:
    """The steps of the demo."""

    def __init__(self, stack: Stack, output: Callable[[str], None]) -> None:
        """Prints each line by `output`."""
        self._stack = stack
        self._output = output
        # The ids of what the simulated Stripe has made, and of its events.
        self._made: dict[str, Any] = {}

    def run(self) -> None:
        """Runs all steps; raises at the first response that is not the promised one."""
        steps = (
            ("Nothing is registered yet, and status says so", self._inactive),
            ("The admin registers a webhook, with one call", self._register),
            (
                "A customer subscribes, pays, gets a refund, disputes a payment; Stripe sends signed events",
                self._deliveries,
            ),
            ("The billing records say what Stripe says", self._records),
            ("Someone without the secret sends an event", self._forged),
            ("A viewer may read, and may not register", self._viewer),
            ("It works, and status says so", self._active),
            ("The admin deregisters", self._deregister),
            ("Status says inactive again; the records and the audit stay", self._kept),
        )
        for number, (title, step) in enumerate(steps, start=1):
            self._output(f"\n{number}. {title}")
            try:
                step()
            except (LookupError, TypeError) as malformed:
                raise UnexpectedResponse(
                    f"a response has not the promised form: {malformed!r}"
                ) from malformed

    def _inactive(self) -> None:
        self._expect_status("inactive")

    def _register(self) -> None:
        response = self._stack.admin_call("POST", "/endpoints", {"name": "main"})
        _expect(response, 201, "POST /endpoints")
        made = response.json
        self._print(f"POST /endpoints → 201: {made['stripe_id']} at Stripe sends to {made['url']}")
        self._print(f"its signing secret, in this answer: {made['signing_secret'][:8]}…")

    def _deliveries(self) -> None:
        response = client.send_json("POST", f"{self._stack.stripe_control_url}/story")
        _expect(response, 200, "the simulated Stripe")
        self._made = response.json
        events = set(self._made["events"])
        self._print(f"Stripe made {len(events)} events")

        def states() -> dict[str, str]:
            return {event["id"]: event["state"] for event in self._ledger() if event["id"] in events}

        def all_final(states: dict[str, str]) -> bool:
            return states.keys() == events and set(states.values()) <= FINAL_STATES

        final = list(client.poll(states, all_final, APPLIED_TIMEOUT_S).values())
        counts = ", ".join(f"{final.count(state)} {state}" for state in sorted(set(final)))
        self._print(f"GET /events → the ledger has each of them: {counts}")

    def _records(self) -> None:
        for expected in EXPECTED_RECORDS:
            object_id = self._made[expected.id_member]
            path = f"/records/{expected.kind}/{object_id}"
            response = self._stack.admin_call("GET", path)
            _expect(response, 200, f"GET {path}")
            record, at_stripe = response.json, self._from_stripe(f"{expected.stripe_path}/{object_id}")
            if record["status"] != at_stripe.get("status") or record["deleted"] != bool(
                at_stripe.get("deleted")
            ):
                raise UnexpectedResponse(
                    f"{path} has the status {record['status']}, and {at_stripe.get('status')} at Stripe"
                )
            if expected.state and record["state"] != expected.state:
                raise UnexpectedResponse(f"{path} is {record['state']} instead of {expected.state}")
            if expected.state:
                shown = f"{expected.state} (Stripe: {record['status']})"
            else:
                shown = f"{record['status'] or 'there'}, as at Stripe"
            self._print(f"GET {path} → {shown}")

    def _forged(self) -> None:
        body = json.dumps(
            {"id": "evt_forged", "object": "event", "type": "payment_intent.succeeded"}
        ).encode()
        response = self._deliver(body, "whsec_guessed")
        _expect(response, 400, "POST /webhooks/main", code="signature_mismatch")
        self._print(f"POST /webhooks/main → 400 {response.code}")
        _expect(self._stack.admin_call("GET", "/events/evt_forged"), 404, "GET /events/evt_forged")
        self._print("GET /events/evt_forged → 404: nothing was stored")

    def _viewer(self) -> None:
        token = self._stack.viewer["token"]
        _expect(self._stack.call("GET", "/endpoints", token), 200, "GET /endpoints as viewer")
        response = self._stack.call("POST", "/endpoints", token, {"name": "mine"})
        _expect(response, 403, "POST /endpoints as viewer")
        self._print(f"GET /endpoints → 200, POST /endpoints → 403 {response.code}")
        _expect(
            self._stack.call("POST", "/endpoints", None, {"name": "mine"}),
            401,
            "POST /endpoints without a token",
        )
        self._print("without a token: 401")

    def _active(self) -> None:
        self._expect_status("active")

    def _deregister(self) -> None:
        response = self._stack.admin_call("DELETE", "/endpoints/main?confirm=main")
        _expect(response, 204, "DELETE /endpoints/main?confirm=main")
        self._print("DELETE /endpoints/main?confirm=main → 204")
        listed = self._from_stripe("webhook_endpoints?limit=100")["data"]
        if listed:
            raise UnexpectedResponse(f"Stripe still has {[endpoint['id'] for endpoint in listed]}")
        self._print("Stripe lists no endpoint any more")

    def _kept(self) -> None:
        self._expect_status("inactive")
        path = f"/records/customers/{self._made['customer']}"
        _expect(self._stack.admin_call("GET", path), 200, f"GET {path}")
        self._print(f"GET {path} → still there")
        response = self._stack.admin_call("GET", "/audit")
        _expect(response, 200, "GET /audit")
        self._print(f"GET /audit → {len(response.json['data'])} entries of who did what")

    def _deliver(self, body: bytes, secret: str) -> Response:
        """Sends an event as Stripe does, signed with a secret."""
        now = int(time.time())
        signature = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={signature}"}
        return client.send("POST", f"{self._stack.api_url}/webhooks/main", body, headers)

    def _print(self, line: str) -> None:
        self._output(f"   {line}")

    def _expect_status(self, expected: str) -> None:
        """Asks until the status is the expected one: a change holds everywhere after ten seconds."""

        def status() -> Response:
            return self._stack.admin_call("GET", "/status")

        def is_expected(response: Response) -> bool:
            return bool(response.status == 200 and response.json["status"] == expected)

        body = client.poll(status, is_expected, 15.0).json
        self._print(f"GET /status → {body['status']}")
        for check in body["checks"] + [
            check for endpoint in body["endpoints"] for check in endpoint["checks"]
        ]:
            if not check["ok"]:
                said = check["severity"] if check["outcome"] == "failed" else check["outcome"]
                self._print(f"  {said}: {check['summary']}")

    def _ledger(self) -> Iterator[dict[str, Any]]:
        """Yields each event in the ledger."""
        cursor = ""
        while True:
            response = self._stack.admin_call("GET", f"/events?limit=100{cursor}")
            _expect(response, 200, "GET /events")
            yield from response.json["data"]
            if not response.json["next_cursor"]:
                return
            cursor = f"&cursor={quote(response.json['next_cursor'])}"

    def _from_stripe(self, path: str) -> dict[str, Any]:
        url = f"{self._stack.stripe_api_base}/v1/{path}"
        response = client.send_json("GET", url, self._stack.stripe_api_key)
        _expect(response, 200, f"GET /v1/{path} at Stripe")
        body: dict[str, Any] = response.json
        return body


def _expect(response: Response, status: int, request: str, code: str | None = None) -> None:
    if response.status != status or (code and response.code != code):
        raise UnexpectedResponse(
            f"{request} answered {response.status} instead of {status}: {response.text[:500]}"
        )
