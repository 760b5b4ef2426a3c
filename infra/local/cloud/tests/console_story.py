"""What a billing office has to do with: customers, an unpaid invoice, refunds, a dispute, events that wait.

The ids are fixed, so that tests can ask about them.
"""

import time
from dataclasses import dataclass
from typing import Any

from endpoint_case import broken_function
from localcloud import client
from localcloud.settings import ROOT
from localcloud.stack import Stack

ANNA = "cus_SampleAnna"
ANNAS_EMAIL = "anna@example.com"
ANNAS_REFUND = "re_SampleAnna"
ANNAS_PAYMENT = "pi_SampleAnna"
ANNAS_CHARGE = "ch_SampleAnna"
# The moves of the balance that her charge and her refund name.
ANNAS_CHARGE_MOVE = "txn_SampleCharge"
ANNAS_REFUND_MOVE = "txn_SampleRefund"
UNPAID_INVOICE = "in_SampleUnpaid"
FAILED_PAYMENT = "pi_SampleFailed"
# What the invoice is for: the product, its price, and one of which nothing else is known.
PRODUCT = "prod_SampleGold"
PRICE = "price_SampleMonthly"
UNKNOWN_PRICE = "price_SampleUnknown"
PAST_DUE = "sub_SamplePastDue"
FAILED_REFUND = "re_SampleFailed"
DISPUTE = "du_SampleDispute"
YEN_PAYMENT = "pi_SampleYen"
DINAR_PAYMENT = "pi_SampleDinar"
HOSTILE = "cus_SampleHostile"
# Markup, a text that turns round what follows it, and one that is far too long.
HOSTILE_NAME = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HOSTILE_TEXT = "‮ruoy ot yenom‬ " + "x" * 10_000

SWEEP = ROOT / "events" / "process" / "sweep.json"


@dataclass
class Storyteller:
    """Makes things happen at the simulated Stripe, in their order."""

    stack: Stack
    at: int

    def happens(self, event_type: str, object_id: str | None = None, **fields: Any) -> str:
        """Makes an event of the type's sample with other fields, a second after the last; returns its id."""
        self.at += 1
        new = {"type": event_type, "created": self.at, "fields": {"created": self.at} | fields}
        if object_id:
            new["object_id"] = object_id
        return self.emit(new)

    def changes(self, event_type: str, object_id: str, **fields: Any) -> str:
        """The same of an object that is there already; the event says what was before."""
        self.at += 1
        new = {"type": event_type, "created": self.at, "fields": fields, "from_stored": True}
        return self.emit(new | {"object_id": object_id})

    def emit(self, new: dict[str, Any]) -> str:
        """Makes an event as the control API has it; returns its id."""
        made = client.send_json("POST", f"{self.stack.stripe_control_url}/events", None, new)
        assert made.status == 200, made.text
        return str(made.json["id"])


def fill(stack: Stack) -> None:
    """Registers an endpoint and tells the whole story; when it returns, all of it is applied or waits."""
    registered = stack.admin_call("POST", "/endpoints", {"name": "main"})
    assert registered.status == 201, registered.text
    for _ in range(2):
        story = client.send_json("POST", f"{stack.stripe_control_url}/story")
        assert story.status == 200, story.text
    now = int(time.time())
    story_of = Storyteller(stack, now - 120)
    annas(story_of)
    unpaid(story_of, now)
    others(story_of, now)
    wait_until_applied(stack)
    waiting(story_of)
    wait_until_applied(stack)


def annas(story: Storyteller) -> None:
    """Anna pays, and gets a part of it back."""
    story.happens("customer.created", ANNA, name="Anna Ärmel", email=ANNAS_EMAIL)
    paid = {"customer": ANNA, "amount": 4_200, "amount_received": 4_200, "currency": "eur"}
    story.happens("payment_intent.created", ANNAS_PAYMENT, **paid, latest_charge=None, invoice=None)
    charge = {
        "customer": ANNA,
        "payment_intent": ANNAS_PAYMENT,
        "amount": 4_200,
        "amount_captured": 4_200,
        "balance_transaction": ANNAS_CHARGE_MOVE,
        "currency": "eur",
        "billing_details": {"email": ANNAS_EMAIL, "name": "Anna Ärmel"},
    }
    story.happens("charge.succeeded", ANNAS_CHARGE, **charge)
    story.changes("payment_intent.succeeded", ANNAS_PAYMENT, status="succeeded", latest_charge=ANNAS_CHARGE)
    refund = {
        "customer": ANNA,
        "balance_transaction": ANNAS_REFUND_MOVE,
        "charge": ANNAS_CHARGE,
        "payment_intent": ANNAS_PAYMENT,
        "amount": 1_200,
        "currency": "eur",
        "status": "succeeded",
    }
    story.happens("refund.created", ANNAS_REFUND, **refund)
    story.changes("charge.refunded", ANNAS_CHARGE, amount_refunded=1_200, refunded=False)


def unpaid(story: Storyteller, now: int) -> None:
    """An invoice of Anna's could not be paid; Stripe tries again in three days."""
    story.happens("product.created", PRODUCT, name="Gold")
    story.happens("price.created", PRICE, product=PRODUCT, nickname="Monthly", currency="eur")
    lines = [line(1, 1_400, PRICE), line(2, 500, UNKNOWN_PRICE)]
    bill = {
        "lines": {"object": "list", "data": lines, "has_more": False, "url": "/v1/invoices/lines"},
        "customer": ANNA,
        "customer_email": ANNAS_EMAIL,
        "customer_name": "Anna Ärmel",
        "number": "SAMPLE-0042",
        "total": 1_900,
        "amount_due": 1_900,
        "amount_paid": 0,
        "amount_remaining": 1_900,
        "currency": "eur",
        "status": "open",
    }
    story.happens("invoice.finalized", UNPAID_INVOICE, **bill, attempt_count=0, next_payment_attempt=None)
    story.happens(
        "payment_intent.payment_failed",
        FAILED_PAYMENT,
        customer=ANNA,
        amount=1_900,
        amount_received=0,
        currency="eur",
        status="requires_payment_method",
        last_payment_error={"code": "card_declined", "message": "Your card was declined."},
    )
    story.changes(
        "invoice.payment_failed",
        UNPAID_INVOICE,
        attempt_count=2,
        attempted=True,
        next_payment_attempt=now + 3 * 86_400,
    )
    story.happens("customer.subscription.updated", PAST_DUE, customer=ANNA, status="past_due")


def line(number: int, amount: int, price: str) -> dict[str, Any]:
    """A line of the invoice."""
    return {
        "id": f"il_Sample{number}",
        "object": "line_item",
        "amount": amount,
        "currency": "eur",
        "description": f"Line {number}",
        "quantity": 1,
        "pricing": {"type": "price_details", "price_details": {"price": price, "product": PRODUCT}},
    }


def others(story: Storyteller, now: int) -> None:
    """A refund that failed, a dispute, other currencies, and somebody who means harm."""
    story.happens("refund.failed", FAILED_REFUND, amount=500, currency="usd", status="failed")
    story.happens(
        "charge.dispute.created",
        DISPUTE,
        amount=7_700,
        currency="usd",
        status="needs_response",
        evidence_details={"due_by": now + 30 * 3_600, "has_evidence": False, "past_due": False},
    )
    for payment, amount, currency in ((YEN_PAYMENT, 1_234, "jpy"), (DINAR_PAYMENT, 1_234_560, "kwd")):
        story.happens(
            "payment_intent.succeeded", payment, amount=amount, amount_received=amount, currency=currency
        )
    story.happens("customer.created", HOSTILE, name=HOSTILE_NAME, description=HOSTILE_TEXT, email=None)


def waiting(story: Storyteller) -> None:
    """Events that wait for a person: of the other mode, and ones whose tries are used up."""
    stack = story.stack
    story.emit({"type": "customer.updated", "livemode": True})
    rules = stack.admin_call("GET", "/settings").json["retry"]
    give_up_soon(stack)
    with broken_function(stack, "process", "RECORDS_TABLE"):
        for _ in range(3):
            story.happens("customer.updated", None, name="An event that dies")
        wait_until_applied(stack)
    again = stack.admin_call("PATCH", "/settings", {"retry": rules})
    assert again.status == 200, again.text


def give_up_soon(stack: Stack) -> None:
    """Makes an event dead after one more try, a second later."""
    once = stack.admin_call("PATCH", "/settings", {"retry": {"attempts": 1, "first_delay_s": 1}})
    assert once.status == 200, once.text


def wait_until_applied(stack: Stack) -> None:
    """Waits until no event is under way; the sweep, which comes each minute, comes at once."""

    def under_way() -> int:
        listed = [stack.admin_call("GET", f"/events?state={state}") for state in ("pending", "failed")]
        if listed[1].json["data"]:
            stack.aws("lambda").invoke(FunctionName=stack.functions["process"], Payload=SWEEP.read_bytes())
        return sum(len(page.json["data"]) for page in listed)

    client.poll(under_way, lambda count: count == 0, 240.0, interval=0.5)
