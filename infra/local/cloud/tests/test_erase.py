"""A deleted customer's personal data is erased, through the whole chain as deployed."""

import time

from localcloud import client
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

# The event is applied within a second, or by the sweep; the schedule begins within a minute.
APPLIED_S = 240.0
ERASED_S = 240.0


def test_the_person_goes_from_records_and_events_and_the_record_stays(
    stack: Stack, endpoint: Endpoint
) -> None:
    customer = f"cus_Erased{time.time_ns()}"
    person = {
        "object": "customer",
        "id": customer,
        "created": 1_785_000_000,
        "email": "ann@example.com",
        "balance": 5,
    }

    def deliver(event_type: str) -> str:
        body = event(type=event_type, data={"object": person})
        response = endpoint.deliver(body, endpoint.sign(body))
        assert response.status == 200, response.text
        return str(response.json["event"])

    created = deliver("customer.created")
    client.poll(
        lambda: stack.admin_call("GET", f"/records/customers/{customer}"),
        lambda response: response.status == 200,
        APPLIED_S,
    )
    asked = {"customer": customer, "confirm": customer, "why": "asked for by a test"}
    assert stack.call("POST", "/erasures", stack.viewer["token"], asked).status == 403
    assert stack.admin_call("POST", "/erasures", asked).code == "customer_not_deleted"

    deliver("customer.deleted")
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
