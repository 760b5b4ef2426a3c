"""What went to the bank: a deposit that adds up, one that does not, one by hand, and what did not arrive."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from console_story import (
    ANNA,
    ANNAS_CHARGE,
    ANNAS_CHARGE_MOVE,
    ANNAS_PAYMENT,
    ANNAS_REFUND,
    ANNAS_REFUND_MOVE,
    Storyteller,
    wait_until_applied,
)
from localcloud import client
from localcloud.settings import ROOT
from localcloud.stack import Stack

DEPOSIT = "po_SampleTuesday"
OFF = "po_SampleOff"
BY_HAND = "po_SampleByHand"
FAILED = "po_SampleFailed"
LATE = "po_SampleLate"
WARNING = "issfr_SampleWarning"
CARD = "pm_SampleCard"
PAID_BY_CARD = "sub_SampleByCard"
SCHEDULE = ROOT / "events" / "import" / "schedule.json"


def last_tuesday() -> date:
    """The Tuesday whose deposit is asked about: today, or before."""
    today = datetime.now(UTC).date()
    return today - timedelta(days=(today.weekday() - 1) % 7)


def in_words(day: date) -> str:
    """The day as the page writes it."""
    return f"{day:%a, %b} {day.day}, {day.year}"


def fill_payouts(stack: Stack) -> None:
    """Tells it all after the customers' story; when it returns, each payout's transactions are listed."""
    story = Storyteller(stack, int(time.time()) - 60)
    moves(stack)
    tuesday = last_tuesday()
    payout(story, DEPOSIT, 2_845, tuesday, "paid")
    payout(story, OFF, 1_000, tuesday - timedelta(days=1), "paid")
    payout(story, BY_HAND, 500, tuesday - timedelta(days=2), "paid", automatic=False)
    failure = {"failure_code": "account_closed", "failure_message": "The bank account has been closed."}
    payout(story, FAILED, 7_000, tuesday - timedelta(days=3), "failed", **failure)
    payout(story, LATE, 900, tuesday - timedelta(days=7), "in_transit")
    for_attention(story)
    wait_until_applied(stack)
    client.poll(lambda: being_listed(stack), lambda payouts: payouts == [], 60.0, interval=0.5)


def being_listed(stack: Stack) -> list[str]:
    """Lists at once what the schedule lists within a minute; returns the payouts that still wait for it."""
    stack.aws("lambda").invoke(FunctionName=stack.functions["import"], Payload=SCHEDULE.read_bytes())
    payouts = stack.admin_call("GET", "/records/payouts").json["data"]
    return [payout["id"] for payout in payouts if payout["transactions"]["state"] == "listing"]


def payout(
    story: Storyteller, payout_id: str, amount: int, arrives: date, status: str, **fields: Any
) -> None:
    """A payout that reaches a status; one that is paid is reconciled."""
    made = {
        "amount": amount,
        "currency": "eur",
        "automatic": True,
        "arrival_date": int(datetime(arrives.year, arrives.month, arrives.day, tzinfo=UTC).timestamp()),
        "reconciliation_status": "in_progress",
        "status": "in_transit",
    }
    by_hand = fields.get("automatic") is False
    if by_hand:
        made["reconciliation_status"] = "not_applicable"
    story.happens("payout.created", payout_id, **(made | fields))
    if status == "failed":
        story.changes("payout.failed", payout_id, status="failed")
    if status == "paid":
        story.changes("payout.paid", payout_id, status="paid")
        if not by_hand:
            story.changes("payout.reconciliation_completed", payout_id, reconciliation_status="completed")


def moves(stack: Stack) -> None:
    """The moves of the balance that the payouts are made of."""
    fees = {"stripe_fee": 130, "tax": 25}
    move(stack, ANNAS_CHARGE_MOVE, DEPOSIT, "charge", 4_200, ANNAS_CHARGE, fees)
    move(stack, ANNAS_REFUND_MOVE, DEPOSIT, "refund", -1_200, ANNAS_REFUND)
    move(stack, "txn_SampleTuesday", DEPOSIT, "payout", -2_845, DEPOSIT)
    move(stack, "txn_SampleAdjusted", OFF, "adjustment", 950, None)
    move(stack, "txn_SampleOff", OFF, "payout", -1_000, OFF)


def move(
    stack: Stack,
    transaction_id: str,
    of_payout: str,
    kind: str,
    amount: int,
    source: str | None,
    fees: dict[str, int] | None = None,
) -> None:
    """Puts a balance transaction into the simulated Stripe, in a payout."""
    details = [
        {"type": name, "amount": fee, "currency": "eur", "description": name, "application": None}
        for name, fee in (fees or {}).items()
    ]
    fee = sum((fees or {}).values())
    now = int(time.time())
    made = {
        "id": transaction_id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now - 3_600,
        "created": now - 7_200,
        "currency": "eur",
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details,
        "net": amount - fee,
        "_payout": of_payout,
        "reporting_category": kind,
        "source": source,
        "status": "available",
        "type": kind,
    }
    stored = client.send_json("PUT", f"{stack.stripe_control_url}/objects", None, made)
    assert stored.status // 100 == 2, stored.text


def for_attention(story: Storyteller) -> None:
    """A payment that a bank takes for fraud, and a card that ends this month and pays a subscription."""
    warning = {"actionable": True, "charge": ANNAS_CHARGE, "payment_intent": ANNAS_PAYMENT}
    story.happens("radar.early_fraud_warning.created", WARNING, **warning)
    today = datetime.now(UTC).date()
    card = {"brand": "visa", "last4": "4242", "exp_month": today.month, "exp_year": today.year}
    story.happens(
        "payment_method.attached", CARD, customer=ANNA, card=card, billing_details={"name": "Anna Ärmel"}
    )
    paid = {"customer": ANNA, "status": "active", "default_payment_method": CARD}
    story.happens("customer.subscription.created", PAID_BY_CARD, **paid)
