"""Whatever stands in a field of Stripe's is shown as the text that it is."""

import re

from playwright.sync_api import Browser, expect

import console_story
from console_browser import console
from localcloud.stack import Stack


def test_markup_and_texts_that_turn_round_are_only_text(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        window.enter()
        page = window.page
        for address in (
            f"#/records/customers/{console_story.HOSTILE}",
            "#/records/customers",
            "#/records?q=onerror",
            f"#/events?object={console_story.HOSTILE}&since=all",
        ):
            window.open(address)
            window.settle()
            assert page.locator("main img, main script").count() == 0, address
            assert page.title() != "owned", address
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{address} is {over} pixels too wide"
        window.open(f"#/records/customers/{console_story.HOSTILE}")
        expect(page.get_by_text("<img src=x onerror=").first).to_be_visible()
        # What turns letters round ends where the text ends.
        isolated = page.evaluate(
            """() => [...document.querySelectorAll('main *')]
                .filter(element => element.children.length === 0 && element.textContent.includes('\\u202e'))
                .every(element => {
                    const closest = element.closest('bdi, .foreign');
                    return closest || /isolate|plaintext/.test(getComputedStyle(element).unicodeBidi);
                })"""
        )
        assert isolated


def test_money_is_shown_in_its_currency(browser: Browser, console_stack: Stack) -> None:
    """Currencies have no decimals, two or three."""
    with console(browser, console_stack) as window:
        window.enter(user="viewer")
        for payment, shown in (
            (console_story.YEN_PAYMENT, "¥1,234"),
            (console_story.DINAR_PAYMENT, r"KWD.1,234\.560"),
            (console_story.ANNAS_PAYMENT, r"€42\.00"),
        ):
            window.open(f"#/records/payments/{payment}")
            expect(window.page.get_by_role("main")).to_contain_text(re.compile(shown))


def test_a_kind_that_comes_later_shows_by_itself(browser: Browser, console_stack: Stack) -> None:
    """The lists come from the description of the kinds."""
    with console(browser, console_stack) as window:
        page = window.page
        later = {
            "kind": "gift_vouchers",
            "object": "gift_voucher",
            "id_prefixes": ["gv"],
            "statuses": ["issued", "void"],
            "amount": "amount",
            "labels": ["number"],
            "references": [{"member": "invoice", "kind": "invoices"}],
            "listed": True,
            "by_customer": False,
            "permission": None,
        }
        known = console_stack.admin_call("GET", "/records").json["data"]
        page.route("**/records", lambda route: route.fulfill(json={"data": [*known, later]}))
        record = {
            "id": "gv_1",
            "kind": "gift_vouchers",
            "account": None,
            "status": "issued",
            "customer": console_story.ANNA,
            "currency": "eur",
            "deleted": False,
            "as_of": "2026-11-24T12:00:00Z",
            "event": "evt_1",
            "fetched": False,
            "order_uncertain": False,
            "gone_at_stripe": False,
            "erased": False,
            "complete": True,
            "incomplete_reason": None,
            "object": {"id": "gv_1", "object": "gift_voucher", "number": "GV-7", "amount": 505},
        }
        page.route(
            "**/records/gift_vouchers?*",
            lambda route: route.fulfill(json={"data": [record], "next_cursor": None}),
        )
        window.enter()
        window.go("Records")
        page.get_by_role("main").get_by_role("link", name="Gift vouchers").first.click()
        row = page.get_by_role("row").filter(has_text="GV-7")
        expect(row).to_contain_text("€5.05")
        expect(row).to_contain_text("Issued")


def test_an_export_defuses_what_a_spreadsheet_would_run(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        page = window.page
        window.enter()
        customers = console_stack.admin_call("GET", "/records/customers").json
        customers["data"] = [customers["data"][0]]
        customers["data"][0]["object"]["name"] = '=HYPERLINK("https://evil.example","x")'
        page.route(
            "**/records/customers?*", lambda route: route.fulfill(json=customers | {"next_cursor": None})
        )
        window.open("#/records/customers")
        with page.expect_download() as downloading:
            page.get_by_role("button", name="Export what is listed").click()
        text = downloading.value.path().read_text(encoding="utf-8-sig")
        assert "'=HYPERLINK" in text
        assert not re.search(r'(^|,|\n)"?[=+@]', text)
