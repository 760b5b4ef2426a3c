"""The console can be read and used by everybody: with a keyboard, a screen reader, a phone, in the dark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect

import console_payouts
import console_story
from console_browser import Console, console
from localcloud.stack import Stack

PAGES = (
    "Overview",
    "Needs attention",
    "Payouts",
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
    f"#/records/payouts/{console_payouts.DEPOSIT}",
    f"#/records/payouts/{console_payouts.OFF}",
    f"#/records/payouts/{console_payouts.BY_HAND}",
    f"#/records/balance_transactions/{console_story.ANNAS_CHARGE_MOVE}",
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


# What can be reached by tabbing and can be seen. Of choices that exclude each other one is reached, the
# rest by arrows.
REACHABLE = """() => {
    const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]');
    const one = (e) => e.type !== 'radio' || e.checked
        || !document.querySelector(`input[name="${CSS.escape(e.name)}"]:checked`);
    const able = (e) => e.tabIndex >= 0 && !e.disabled && one(e)
        && e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0;
    window.notReached = new Set([...all].filter(able));
    window.unseen = new Set();
    const text = (e) => (e.getAttribute('aria-label') ?? e.textContent).trim().slice(0, 60);
    window.named = (set) => [...set].filter((e) => e.isConnected).map((e) => `${e.localName} ${text(e)}`);
    if (!window.watched) window.addEventListener('focusin', ({target}) => {
        window.notReached.delete(target);
        const marks = [target, ...target.children].map((e) => getComputedStyle(e));
        const seen = marks.some((style) => style.outlineStyle !== 'none' || style.boxShadow !== 'none');
        // What only the page gives the focus to, such as a heading, needs no mark.
        if (target.tabIndex >= 0 && !seen)
            window.unseen.add(target);
    });
    window.watched = true;
    return window.notReached.size;
}"""
# So many steps more than a page had controls at first.
MORE_STEPS = 400
# A phone's width, and that of a window whose page is zoomed to 200 %: half of 1280.
PHONE, ZOOMED, WIDE = 320, 640, 1280


def visit(window: Console) -> Iterator[str]:
    """Yields each page when it is shown; the last one is opened anew, as from a bookmark."""
    for name in PAGES:
        if not window.page.get_by_role("link", name=name, exact=True).first.is_visible():
            window.page.get_by_role("button", name="Menu").click()
        window.page.get_by_role("link", name=name, exact=True).first.click()
        window.settle()
        yield name
    (event,) = window.stack.admin_call("GET", "/events?limit=1").json["data"]
    for address in (*ADDRESSES, f"#/events/{event['id']}"):
        window.open(address)
        window.settle()
        yield address
    window.page.reload()
    window.settle()
    yield f"#/events/{event['id']}, reloaded"


@dataclass
class Seen:
    """What is amiss on the pages, by their names."""

    axe: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {"light": {}, "dark": {}})
    cut_off: dict[int, dict[str, str]] = field(default_factory=lambda: {PHONE: {}, ZOOMED: {}})
    by_keyboard: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def seen(browser: Browser, console_stack: Stack) -> Seen:
    """All pages, each looked at on a phone, zoomed, in the light, in the dark and by the keyboard.

    It is loaded as a phone loads it, so that nothing depends on the width that it began with.
    """
    found = Seen()
    with console(browser, console_stack, viewport={"width": PHONE, "height": 720}) as window:
        window.enter()
        for name in visit(window):
            for width in (PHONE, ZOOMED):
                window.page.set_viewport_size({"width": width, "height": 720})
                if amiss := cut_off(window):
                    found.cut_off[width][name] = amiss
            window.page.set_viewport_size({"width": WIDE, "height": 900})
            for theme in ("light", "dark"):
                window.page.emulate_media(color_scheme=theme)
                window.screenshot(f"{theme}/{name.strip('#/').replace('/', '-').replace('?', '-')}")
                if violations := window.axe():
                    found.axe[theme][name] = violations
            if unreached := by_keyboard(window.page):
                found.by_keyboard[name] = unreached
            window.page.set_viewport_size({"width": PHONE, "height": 720})
    return found


def cut_off(window: Console) -> str:
    """Says what does not fit into the window's width."""
    page = window.page
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 0:
        return f"{over} pixels too wide"
    heading = page.get_by_role("heading", level=1)
    box = heading.bounding_box()
    size = page.viewport_size
    assert size
    inside = box and box["x"] >= 0 and 0 <= box["y"] < size["height"] and box["x"] < size["width"]
    return "" if inside else f"the heading is out of sight: {box}"


def by_keyboard(page: Page) -> list[str]:
    """Tabs through the page; says what is not reached, and what does not show that it has the focus."""
    steps = page.evaluate(REACHABLE)
    for _ in range(steps + 20):
        page.keyboard.press("Tab")
    # A list can grow while somebody goes through it.
    for _ in range(MORE_STEPS):
        if not page.evaluate("window.named(window.notReached).length"):
            break
        page.keyboard.press("Tab")
    missed = page.evaluate("window.named(window.notReached)")
    unseen = page.evaluate("window.named(window.unseen)")
    page.evaluate("window.scrollTo(0, 0)")
    return [f"not reached: {missed}", f"not seen: {unseen}"] if missed or unseen else []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(seen: Seen, theme: str) -> None:
    assert seen.axe[theme] == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_before_somebody_signs_in(
    browser: Browser, console_stack: Stack, theme: str
) -> None:
    with console(browser, console_stack, color_scheme=theme) as window:
        window.open()
        window.page.get_by_role("button", name="Sign in").wait_for()
        assert window.axe() == []


@pytest.mark.parametrize("width", [PHONE, ZOOMED])
def test_a_phone_and_a_zoomed_page_lose_nothing(seen: Seen, width: int) -> None:
    """At 320 pixels, and at 200 %, nothing is cut off, and no page scrolls sideways."""
    assert seen.cut_off[width] == {}


def test_every_control_of_every_page_is_reached_by_tabbing_and_shows_the_focus(seen: Seen) -> None:
    assert seen.by_keyboard == {}


def test_each_page_can_be_reached_and_left_by_the_keyboard(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        window.enter()
        page = window.page
        window.settle()
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
        window.enter("#/settings/stripe")
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
        window.enter(user="viewer")
        page = window.page
        expect(page.get_by_text("You are signed in as a viewer").first).to_be_visible()
        power = re.compile(rf"^({'|'.join(POWERS)})\b")
        for name in visit(window):
            buttons = page.get_by_role("main").get_by_role("button", name=power)
            assert buttons.count() == 0, f"{name} shows a viewer {buttons.all_inner_texts()}"
        changes = [request for request in window.requests if request.method not in {"GET", "OPTIONS"}]
        assert [request.url for request in changes] == []
