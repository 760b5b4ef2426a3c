"""Thirteen questions of a billing office, each answered in at most three clicks from the overview.

A search counts as one click, like following a link or opening something.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Locator, expect

import console_payouts
import console_story
from console_browser import Console, console
from localcloud.stack import Stack

MOST_CLICKS = 3


@dataclass
class Asking:
    """A person at the overview, whose clicks are counted."""

    window: Console
    clicks: int = 0

    @property
    def answer(self) -> Locator:
        """What stands on the page."""
        return self.window.page.get_by_role("main")

    def search(self, text: str) -> None:
        """Looks for something from wherever they are."""
        self.clicks += 1
        box = self.window.page.get_by_role("searchbox").first
        box.fill(text)
        box.press("Enter")

    def click(self, locator: Locator) -> None:
        """Clicks on something."""
        self.clicks += 1
        locator.click()

    def follow(self, page: str) -> None:
        """Follows a link of the navigation."""
        self.clicks += 1
        self.window.go(page)


@pytest.fixture
def asking(browser: Browser, console_stack: Stack) -> Iterator[Asking]:
    """A viewer at the overview; afterwards their clicks are counted."""
    with console(browser, console_stack) as window:
        window.enter(user="viewer")
        asking = Asking(window)
        yield asking
        assert 0 < asking.clicks <= MOST_CLICKS


def test_why_is_this_invoice_unpaid(asking: Asking) -> None:
    asking.search(console_story.UNPAID_INVOICE)
    expect(asking.answer).to_contain_text("€19.00")
    expect(asking.answer).to_contain_text("Not paid: 2 attempts failed.")
    expect(asking.answer).to_contain_text("Your card was declined")


def test_what_is_this_invoice_for_and_whose_is_it(asking: Asking) -> None:
    asking.search(console_story.UNPAID_INVOICE)
    lines = asking.answer.get_by_role("region", name="Its lines").get_by_role("row")
    known = lines.filter(has_text="Line 1")
    expect(known).to_contain_text("€14.00")
    expect(known.get_by_role("link", name="Gold", exact=True)).to_be_visible()
    expect(known.get_by_role("link", name="Gold · Monthly")).to_be_visible()
    unknown = lines.filter(has_text="Line 2").get_by_role("listitem").filter(has_text="Price")
    expect(unknown).to_contain_text(f"{console_story.UNKNOWN_PRICE} Not here")
    linked = asking.answer.get_by_role("region", name="Linked with it")
    asking.click(linked.get_by_role("link", name="Anna Ärmel"))
    expect(asking.window.page.get_by_role("heading", level=1)).to_have_text("Anna Ärmel")


def test_did_the_refund_for_anna_go_through(asking: Asking) -> None:
    asking.search(console_story.ANNAS_EMAIL)
    asking.click(asking.answer.get_by_role("link", name="Anna Ärmel").first)
    row = asking.answer.get_by_role("row").filter(has_text="€12.00")
    expect(row.first).to_contain_text("Succeeded")


def test_which_event_changed_this_and_when(asking: Asking) -> None:
    asking.search(console_story.ANNAS_CHARGE)
    change = asking.answer.get_by_role("listitem").filter(has_text="charge.refunded").first
    expect(change.get_by_role("time").first).to_be_visible()
    asking.click(change.get_by_role("button", name=re.compile("What it changed")))
    expect(change).to_contain_text("amount_refunded")


def test_is_anything_broken_now(asking: Asking) -> None:
    asking.follow("Needs attention")
    expect(asking.answer).to_contain_text("3 events")
    expect(asking.answer).to_contain_text("The database did not take it")


def test_what_has_this_customer_paid_this_month(asking: Asking, console_stack: Stack) -> None:
    # This month is the payment's, also where another has begun since.
    path = f"/records/payments/{console_story.ANNAS_PAYMENT}"
    paid_at = console_stack.admin_call("GET", path).json["object"]["created"]
    asking.window.page.clock.set_fixed_time(datetime.fromtimestamp(paid_at, UTC))
    asking.search(console_story.ANNA)
    expect(asking.answer).to_contain_text(re.compile(r"Paid in .*€30\.00", re.DOTALL))


def test_is_this_subscription_active_and_until_when(asking: Asking) -> None:
    asking.search(console_story.PAST_DUE)
    expect(asking.answer).to_contain_text(re.compile("past due", re.IGNORECASE))
    expect(asking.answer).to_contain_text(re.compile("until", re.IGNORECASE))


def test_which_disputes_need_an_answer_and_by_when(asking: Asking) -> None:
    asking.follow("Needs attention")
    dispute = asking.answer.get_by_role("row").filter(has_text="$77.00")
    expect(dispute.first).to_contain_text(re.compile("(29|30) hours left|1 day left"))


def test_was_this_payment_given_back_in_full(asking: Asking) -> None:
    asking.search(console_story.ANNAS_PAYMENT)
    expect(asking.answer).to_contain_text("Partially refunded")
    expect(asking.answer).to_contain_text("€12.00")


def test_when_is_the_failed_invoice_tried_again(asking: Asking, console_stack: Stack) -> None:
    asking.follow("Needs attention")
    invoice = asking.answer.get_by_role("row").filter(has_text="SAMPLE-0042").first
    path = f"/records/invoices/{console_story.UNPAID_INVOICE}"
    at_stripe = console_stack.admin_call("GET", path).json["object"]["next_payment_attempt"]
    then = datetime.fromtimestamp(at_stripe, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    expect(invoice.locator(f'time[datetime="{then}"]')).to_be_visible()


def test_did_this_event_arrive_and_what_became_of_it(asking: Asking, console_stack: Stack) -> None:
    path = f"/records/refunds/{console_story.ANNAS_REFUND}"
    event = console_stack.admin_call("GET", path).json["event"]
    asking.search(event)
    expect(asking.answer).to_contain_text("Received by the endpoint “main”")
    expect(asking.answer).to_contain_text("Applied to the record")
    expect(
        asking.answer.get_by_role("link", name=re.compile(console_story.ANNAS_REFUND)).first
    ).to_be_visible()


def test_what_is_in_tuesdays_deposit(asking: Asking) -> None:
    tuesday = console_payouts.in_words(console_payouts.last_tuesday())
    asking.follow("Payouts")
    deposit = asking.answer.get_by_role("row").filter(has_text=console_payouts.DEPOSIT)
    expect(deposit).to_contain_text("€28.45")
    expect(deposit).to_contain_text("Adds up")
    asking.click(deposit.get_by_role("link", name=tuesday))
    expect(asking.window.page.get_by_role("heading", level=1)).to_have_text(f"Payout of {tuesday}")
    sums = asking.answer.get_by_role("table", name="Sums by type").get_by_role("row")
    for name, parts in {
        "Charge": ["€42.00", "-€1.55", "€40.45"],
        "Refund": ["-€12.00", "€0.00", "-€12.00"],
        "All together": ["€30.00", "-€1.55", "€28.45"],
        "This payout": ["€28.45"],
    }.items():
        line = sums.filter(has=asking.window.page.get_by_text(name, exact=True))
        assert [part for part in line.inner_text().split() if "€" in part] == parts
    charge = asking.answer.get_by_role("row").filter(has_text=console_story.ANNAS_CHARGE_MOVE)
    for other in (console_story.ANNAS_PAYMENT, console_story.ANNA):
        expect(charge.get_by_role("link", name=other)).to_be_visible()
    expect(charge).to_contain_text("Tax -€0.25")


def test_when_does_this_payment_reach_the_bank_and_what_is_left_of_it(asking: Asking) -> None:
    tuesday = console_payouts.in_words(console_payouts.last_tuesday())
    asking.search(console_story.ANNAS_PAYMENT)
    way = asking.answer.get_by_role("region", name="Its way to the bank")
    for text in ("-€1.55", "€28.45", tuesday):
        expect(way).to_contain_text(text)
    asking.click(way.get_by_role("link", name=f"Payout of {tuesday}").first)
    expect(asking.window.page.get_by_role("heading", level=1)).to_have_text(f"Payout of {tuesday}")
