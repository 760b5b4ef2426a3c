"""What records were at the end of a second, through the API and with events that were really delivered."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from localcloud import client
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

# The doorbell rings within a second; what it missed waits for the sweep, and its two minutes' grace.
APPLIED_S = 240.0


def at(second: int) -> str:
    """Returns the second as the API takes it."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def apply(stack: Stack, endpoint: Endpoint, created: int, customer: dict[str, Any]) -> None:
    """Delivers an event of a customer that Stripe made in a second, and waits until it is applied."""
    body = event(created=created, data={"object": customer})
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    path = f"/events/{json.loads(body)['id']}"
    client.poll(
        lambda: stack.admin_call("GET", path).json["state"],
        lambda state: state in {"processed", "superseded"},
        APPLIED_S,
        interval=1.0,
    )


def test_a_record_is_shown_as_it_was(stack: Stack, endpoint: Endpoint) -> None:
    customer = f"cus_Past{time.time_ns() % 10**9}"
    now = int(time.time())
    fields = {"id": customer, "object": "customer", "created": now - 1, "livemode": False}
    # The later one arrives first.
    for created, email in ((now, "new@example.com"), (now - 1, "old@example.com")):
        apply(stack, endpoint, created, fields | {"email": email})

    def emails(second: int) -> list[str | None]:
        one = stack.call("GET", f"/records/customers/{customer}?at={at(second)}", stack.viewer["token"])
        listed = stack.call(
            "GET", f"/records/customers?search={customer}&at={at(second)}", stack.viewer["token"]
        )
        assert one.status == listed.status == 200, (one.text, listed.text)
        found = [entry for entry in listed.json["data"] if entry["id"] == customer]
        records = [answer["record"] for answer in [one.json, *found]]
        return [record["object"]["email"] if record else None for record in records]

    assert emails(now) == ["new@example.com"] * 2
    assert emails(now - 1) == ["old@example.com"] * 2
    # It is not in the list of when it had not been made.
    assert emails(now - 2) == [None]
    refused = stack.call("GET", f"/records/customers?at={at(now + 3_600)}", stack.viewer["token"])
    assert (refused.status, refused.code) == (400, "parameter_invalid")
