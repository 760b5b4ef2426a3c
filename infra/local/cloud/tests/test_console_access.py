"""The console can be read and used by everybody: with a keyboard, a screen reader, a phone, in the dark."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

import console_story
from console_browser import Console, console
from localcloud.stack import Stack

PAGES = (
    "Overview",
    "Needs attention",
    "Records",
    "Events",
    "Stripe",
    "Endpoints",
    "Set-up",
    "Audit",
)
ADDRESSES = (
    "#/records/customers",
    "#/records/payments",
    "#/records/invoices",
    "#/records?q=anna",
    f"#/records/customers/{console_story.ANNA}",
    f"#/records/customers/{console_story.HOSTILE}",
    f"#/records/payments/{console_story.ANNAS_PAYMENT}",
    f"#/records/invoices/{console_story.UNPAID_INVOICE}",
    f"#/records/disputes/{console_story.DISPUTE}",
    "#/records/customers/cus_of_nobody",
    "#/events?state=dead",
    "#/settings/endpoints/main",
    "#/settings/endpoints/none",
)
# The words on the buttons that change something, or show a secret.
POWERS = (
    "Register",
    "Deregister",
    "Replay",
    "Close",
    "Rotate",
    "Repair",
    "Show the secret",
    "Disable",
    "Start",
    "Change",
    "Erase",
    "Check and save the key",
)


def settle(window: Console) -> None:
    """Waits until a page shows what it loads."""
    window.page.wait_for_load_state("networkidle")
    expect(window.page.get_by_role("heading", level=1)).to_be_visible()
    expect(window.page.locator("main .skeleton")).to_have_count(0)


def visit(window: Console) -> Iterator[str]:
    """Yields each page when it is shown."""
    for name in PAGES:
        if not window.page.get_by_role("link", name=name, exact=True).first.is_visible():
            window.page.get_by_role("button", name="Menu").click()
        window.page.get_by_role("link", name=name, exact=True).first.click()
        settle(window)
        yield name
    (event,) = window.stack.admin_call("GET", "/events?limit=1").json["data"]
    for address in (*ADDRESSES, f"#/events/{event['id']}"):
        window.open(address)
        window.page.reload()
        settle(window)
        yield address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser: Browser, console_stack: Stack, theme: str) -> None:
    with console(browser, console_stack, color_scheme=theme) as window:
        window.open()
        assert window.axe() == []
        window.sign_in()
        found = {}
        for name in visit(window):
            window.screenshot(f"{theme}/{name.strip('#/').replace('/', '-').replace('?', '-')}")
            if violations := window.axe():
                found[name] = violations
        assert found == {}


@pytest.mark.parametrize(("width", "zoom"), [(320, 1), (1280, 2)])
def test_a_phone_and_a_zoomed_page_lose_nothing(
    browser: Browser, console_stack: Stack, width: int, zoom: int
) -> None:
    """At 320 pixels, and at 200 %, nothing is cut off, and no page scrolls sideways."""
    with console(browser, console_stack, viewport={"width": width // zoom, "height": 720}) as window:
        window.open()
        window.sign_in()
        for name in visit(window):
            over = window.page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{name} is {over} pixels too wide"
            expect(window.page.get_by_role("heading", level=1)).to_be_in_viewport()


def test_each_page_can_be_reached_and_left_by_the_keyboard(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        window.open()
        window.sign_in()
        page = window.page
        settle(window)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
        reached: set[str] = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                """() => {
                    const element = document.activeElement;
                    const style = getComputedStyle(element);
                    const shown = element === document.body ? 'nothing to focus' : style.outlineStyle;
                    return {name: element.textContent.trim(), outline: shown + style.boxShadow};
                }"""
            )
            assert focused["outline"] != "nonenone", (
                f"{focused['name']!r} does not show that it has the focus"
            )
            reached.add(focused["name"])
        assert reached >= set(PAGES), f"not reached: {set(PAGES) - reached}"
        page.get_by_role("link", name="Audit", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="Audit")).to_be_focused()
        assert "Audit" in page.title()


def test_a_dialog_is_opened_and_left_by_the_keyboard(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        window.open("#/settings/stripe")
        window.sign_in()
        page = window.page
        for name in ("Register another", "Deregister"):
            button = page.get_by_role("main").get_by_role("button", name=name).first
            button.focus()
            page.keyboard.press("Enter")
            dialog = page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))
            expect(dialog).to_be_visible()
            assert window.axe() == []
            for _ in range(12):
                page.keyboard.press("Tab")
                inside = page.evaluate("document.activeElement.closest('[role$=dialog]') !== null")
                assert inside, f"the focus leaves the dialog of {name}"
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            expect(button).to_be_focused()


def test_a_viewer_sees_all_pages_and_no_power(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        window.open()
        window.sign_in("viewer")
        page = window.page
        expect(page.get_by_text("You are signed in as a viewer").first).to_be_visible()
        for name in visit(window):
            for power in POWERS:
                word = re.compile(rf"^{power}\b")
                buttons = page.get_by_role("main").get_by_role("button", name=word)
                assert buttons.count() == 0, f"{name} shows a viewer {buttons.all_inner_texts()}"
        changes = [request for request in window.requests if request.method not in {"GET", "OPTIONS"}]
        assert [
            request.url
            for request in changes
            if "/oauth2/" not in request.url and "/login" not in request.url
        ] == []
