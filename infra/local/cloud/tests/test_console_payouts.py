"""Payouts in the console: what is amiss is said plainly, and a list of thousands is read and saved whole."""

import csv
import io
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

import console_payouts
import console_story
from console_browser import Console, console
from localcloud.stack import Stack


@pytest.fixture
def window(browser: Browser, console_stack: Stack) -> Iterator[Console]:
    """A viewer's window, at the payouts: they are read by people who change nothing."""
    with console(browser, console_stack) as opened:
        opened.enter("#/records/payouts", user="viewer")
        yield opened


def test_each_payout_looks_like_what_it_is(window: Console) -> None:
    rows = window.page.get_by_role("main").get_by_role("row")
    for payout, words in {
        console_payouts.DEPOSIT: ["Paid", "Adds up"],
        console_payouts.OFF: ["Paid", "Does not add up"],
        console_payouts.BY_HAND: ["Paid", "No list"],
        console_payouts.FAILED: ["Failed"],
        console_payouts.LATE: ["In transit", "Late", "Not known yet"],
    }.items():
        row = rows.filter(has_text=payout)
        for word in words:
            expect(row.get_by_text(word, exact=True)).to_be_visible()


def test_what_does_not_add_up_is_named_with_the_difference_and_what_to_do(window: Console) -> None:
    window.open(f"#/records/payouts/{console_payouts.OFF}")
    part = window.page.get_by_role("region", name="What is in it")
    expect(part).to_contain_text("comes to €9.50, and €10.00 was paid out: a difference of €0.50")
    expect(part).to_contain_text("What to do")
    window.open(f"#/records/payouts/{console_payouts.BY_HAND}")
    expect(part).to_contain_text("No list from Stripe")
    expect(part).to_contain_text("automatic payouts only")
    expect(window.page.get_by_role("button", name="Download CSV")).to_have_count(0)


def test_the_transactions_are_saved_as_the_api_writes_them(window: Console) -> None:
    window.open(f"#/records/payouts/{console_payouts.DEPOSIT}")
    with window.page.expect_download() as downloading:
        window.page.get_by_role("button", name="Download CSV").click()
    assert downloading.value.suggested_filename == f"{console_payouts.DEPOSIT}.csv"
    text = downloading.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["id"] for row in rows} == {
        console_story.ANNAS_CHARGE_MOVE,
        console_story.ANNAS_REFUND_MOVE,
    }
    (charge,) = [row for row in rows if row["id"] == console_story.ANNAS_CHARGE_MOVE]
    assert {"42.00", "1.55", "40.45", console_story.ANNA, console_story.ANNAS_PAYMENT} <= set(charge.values())


def test_five_thousand_transactions_keep_few_rows_in_the_page(window: Console, console_stack: Stack) -> None:
    path = f"/records/payouts/{console_payouts.DEPOSIT}/transactions"
    (first, *_) = console_stack.admin_call("GET", path).json["data"]

    def serve(route: Route) -> None:
        (start,) = parse_qs(urlsplit(route.request.url).query).get("cursor", ["0"])
        data = [first | {"id": f"txn_{number}"} for number in range(int(start), int(start) + 1_000)]
        more = str(int(start) + 1_000) if int(start) < 4_000 else None
        route.fulfill(body=json.dumps({"data": data, "next_cursor": more}), content_type="application/json")

    page = window.page
    page.route(f"**{path}?*", serve)
    window.open(f"#/records/payouts/{console_payouts.DEPOSIT}")
    whole = page.get_by_text("5,000 transactions", exact=True)
    for _ in range(4):
        page.get_by_role("button", name="Load more").click()
        window.settle()
    expect(whole).to_be_attached()
    assert page.get_by_role("row").count() < 200


def test_what_did_not_reach_the_bank_and_what_soon_will_not_be_paid_needs_attention(window: Console) -> None:
    window.go("Needs attention")
    main = window.page.get_by_role("main")
    for section, record, text in (
        ("Payouts that failed or are late", console_payouts.FAILED, "The bank account has been closed."),
        ("Payouts that failed or are late", console_payouts.LATE, "Late"),
        ("Early fraud warnings", console_payouts.WARNING, "Made with stolen card"),
        ("Cards about to expire", console_payouts.PAID_BY_CARD, "Visa ending in 4242"),
    ):
        row = main.get_by_role("region", name=section).get_by_role("row").filter(has_text=record)
        expect(row).to_contain_text(text)
