"""What Stripe had before Billhook was there comes in, through the whole chain as deployed."""

import time

from localcloud import client
from localcloud.client import Response
from localcloud.stack import Stack

# The schedule begins within a minute, and carries on each minute.
IMPORTED_S = 240.0


def put(stack: Stack, value: dict[str, object]) -> None:
    """Adds an object at the simulated Stripe, without an event."""
    response = client.send_json("PUT", f"{stack.stripe_control_url}/objects", None, value)
    assert response.status == 204, response.text


def start_import(stack: Stack, body: dict[str, object]) -> Response:
    """Starts an import once no other runs; returns the response."""
    return client.poll(
        lambda: stack.admin_call("POST", "/import", body),
        lambda response: response.status != 409,
        IMPORTED_S,
        interval=2.0,
    )


def test_what_stripe_had_before_comes_in_and_is_shown_as_its_answer(stack: Stack) -> None:
    number = time.time_ns()
    customer, invoice = f"cus_Before{number}", f"in_Before{number}"
    put(
        stack, {"object": "customer", "id": customer, "created": 1_700_000_000, "email": "before@example.com"}
    )
    put(
        stack,
        {
            "object": "invoice",
            "id": invoice,
            "created": 1_700_000_000,
            "customer": customer,
            "status": "paid",
        },
    )
    assert stack.admin_call("GET", f"/records/customers/{customer}").status == 404

    response = start_import(stack, {"kinds": ["customers", "invoices"]})
    assert (response.status, response.json["state"]) == (202, "running"), response.text
    # Only now: each try before was told in the audit, of which the last page is looked at.
    assert stack.call("POST", "/import", stack.viewer["token"], {}).status == 403
    assert stack.admin_call("POST", "/import", {}).code == "import_running"

    over = client.poll(
        lambda: stack.call("GET", "/import", stack.viewer["token"]),
        lambda response: response.json["state"] != "running",
        IMPORTED_S,
        interval=2.0,
    ).json
    assert (over["state"], over["refused"]["count"], over["halted"]) == ("finished", 0, None), over
    assert over["looked_at"] >= 2

    record = stack.admin_call("GET", f"/records/customers/{customer}").json
    assert (record["object"]["email"], record["fetched"], record["event"]) == (
        "before@example.com",
        True,
        None,
    )
    assert [one["id"] for one in record["invoices"]] == [invoice]
    checks = {check["code"]: check for check in stack.admin_call("GET", "/status").json["checks"]}
    assert checks["import_goes_on"]["ok"], checks["import_goes_on"]
    assert "records_as_stripe" in checks
    entries = {(entry["action"], entry["result"]) for entry in stack.admin_call("GET", "/audit").json["data"]}
    assert {
        ("import.start", "done"),
        ("import.start", "forbidden"),
        ("import.start", "import_running"),
    } <= entries


def test_a_customer_with_a_balance_comes_with_the_transactions_that_no_event_carries(stack: Stack) -> None:
    customer = f"cus_Balance{time.time_ns()}"
    put(stack, {"object": "customer", "id": customer, "created": 1_700_000_000, "balance": 0})
    changed = client.send_json(
        "POST",
        f"{stack.stripe_control_url}/balances",
        None,
        {"customer": customer, "amount": -500, "fate": "lost", "description": "goodwill"},
    )
    assert changed.status == 200, changed.text
    transaction = changed.json["transaction"]
    response = start_import(stack, {"kinds": ["customers"]})
    assert response.status == 202, response.text

    record = client.poll(
        lambda: stack.admin_call("GET", f"/records/customers/{customer}"),
        lambda response: response.status == 200 and response.json["complete"],
        IMPORTED_S,
        interval=2.0,
    ).json
    assert record["object"]["balance"] == -500
    listed = record["customer_balance_transactions"]
    assert [one["id"] for one in listed] == [transaction], listed
    kept = stack.admin_call("GET", f"/records/customer_balance_transactions/{transaction}").json
    said = [kept["object"][member] for member in ("amount", "ending_balance", "description")]
    assert said == [-500, -500, "goodwill"]
