"""A deleted customer's personal data is erased, through the whole chain as deployed."""

import time
from typing import Any

from localcloud import client
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

# The event is applied within a second, or by the sweep; the schedule begins within a minute.
APPLIED_S = 240.0
ERASED_S = 240.0


def at_stripe(stack: Stack, value: dict[str, Any]) -> None:
    """Stores an object at the simulated Stripe, which makes no event of it."""
    response = client.send_json("PUT", f"{stack.stripe_control_url}/objects", None, value)
    assert response.status == 204, response.text


def deliver(endpoint: Endpoint, event_type: str, person: dict[str, Any]) -> str:
    body = event(type=event_type, data={"object": person})
    response = endpoint.deliver(body, endpoint.sign(body))
    assert response.status == 200, response.text
    return str(response.json["event"])


def known_customer(stack: Stack, endpoint: Endpoint) -> tuple[dict[str, Any], str]:
    """A customer with a record, and the event that made it."""
    person = {
        "object": "customer",
        "id": f"cus_Erased{time.time_ns()}",
        "created": 1_785_000_000,
        "email": "ann@example.com",
        "balance": 5,
    }
    at_stripe(stack, person)
    created = deliver(endpoint, "customer.created", person)
    client.poll(
        lambda: stack.admin_call("GET", f"/records/customers/{person['id']}"),
        lambda response: response.status == 200,
        APPLIED_S,
    )
    return person, created


def test_the_person_goes_from_records_and_events_and_the_record_stays(
    stack: Stack, endpoint: Endpoint
) -> None:
    person, created = known_customer(stack, endpoint)
    customer = person["id"]
    asked = {"customer": customer, "confirm": customer, "why": "asked for by a test"}
    assert stack.call("POST", "/erasures", stack.viewer["token"], asked).status == 403
    claimed = asked | {"deleted_at_stripe": True}
    assert stack.admin_call("POST", "/erasures", claimed).code == "customer_not_deleted"

    deliver(endpoint, "customer.deleted", person)
    client.poll(
        lambda: stack.admin_call("GET", f"/records/customers/{customer}"),
        lambda response: bool(response.json["deleted"]),
        APPLIED_S,
    )
    response = stack.admin_call("POST", "/erasures", asked)
    assert (response.status, response.json["state"]) == (202, "running"), response.text
    over = client.poll(
        lambda: stack.call("GET", f"/erasures/{customer}", stack.viewer["token"]),
        lambda response: response.json["state"] == "finished",
        ERASED_S,
        interval=2.0,
    ).json
    assert (over["records"], over["waiting"]["count"]) == (1, 0), over

    record = stack.admin_call("GET", f"/records/customers/{customer}").json
    assert (record["erased"], record["deleted"], record["object"]["balance"]) == (True, True, 5)
    assert "email" not in record["object"]
    erased = stack.admin_call("GET", f"/events/{created}").json
    assert (erased["erased"], erased["payload"], erased["state"]) == (True, None, "processed")
    assert stack.admin_call("POST", f"/events/{created}/replay", {}).code == "event_erased"
    entries = {(entry["action"], entry["result"]) for entry in stack.admin_call("GET", "/audit").json["data"]}
    assert {
        ("erasure.start", "done"),
        ("erasure.start", "forbidden"),
        ("erasure.start", "customer_not_deleted"),
    } <= entries


def test_a_deletion_without_an_event_is_found_by_asking_stripe(stack: Stack, endpoint: Endpoint) -> None:
    person, _ = known_customer(stack, endpoint)
    customer = person["id"]
    at_stripe(stack, {"object": "customer", "id": customer, "deleted": True})
    response = stack.admin_call("POST", "/erasures", {"customer": customer, "confirm": customer})
    assert (response.status, response.json["state"]) == (202, "running"), response.text
    assert stack.admin_call("GET", f"/records/customers/{customer}").json["deleted"] is True
