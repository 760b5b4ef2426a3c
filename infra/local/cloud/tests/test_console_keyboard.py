"""The console by the keyboard alone: each control is reached, shows it, acts, and gives the focus back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

import console_story
from console_browser import Console, console
from localcloud.stack import Stack

# As many steps as no page has controls.
MOST_STEPS = 400
SOON_MS = 90_000


@pytest.fixture
def window(browser: Browser, console_stack: Stack) -> Iterator[Console]:
    """An admin's window, at the overview."""
    with console(browser, console_stack) as opened:
        opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened.enter()
        yield opened


def reach(page: Page, target: Locator, back: bool = False) -> None:
    """Tabs on, or back, until the target has the focus."""
    target.wait_for()
    element = target.element_handle()
    passed = []
    for _ in range(MOST_STEPS):
        if element.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
        passed.append(focused(page))
    raise AssertionError(f"{target} is not reached by tabbing: {passed}")


def focused(page: Page) -> str:
    """Returns what has the focus, in words."""
    return str(
        page.evaluate(
            """() => {
                const {localName, ariaLabel, textContent} = document.activeElement;
                if (localName === 'body') return 'nothing';
                return `${localName} ${(ariaLabel ?? textContent).trim().slice(0, 40)}`;
            }"""
        )
    )


def press(page: Page, target: Locator, key: str = "Enter", back: bool = False) -> None:
    """Goes to the target and presses a key; the focus must not get lost by that."""
    reach(page, target, back)
    page.keyboard.press(key)
    expect(page.locator(":focus"), f"{key} on {target} leaves nothing with the focus").to_have_count(1)


def button(page: Page, name: str | re.Pattern[str]) -> Locator:
    """Returns the first button of the page, not of its frame, with this name."""
    return page.get_by_role("main").get_by_role("button", name=name).first


def dialog(page: Page) -> Locator:
    """Returns the dialog that is open."""
    return page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))


def stays_inside(page: Page) -> None:
    """Tabs around a dialog: the focus begins in it and never leaves it."""
    for _ in range(25):
        inside = page.evaluate("document.activeElement.closest('[role$=dialog]') !== null")
        assert inside, f"the focus leaves the dialog: {focused(page)}"
        page.keyboard.press("Tab")


def test_each_dialog_opens_keeps_the_focus_and_gives_it_back(window: Console) -> None:
    page = window.page
    (dead, *_) = window.stack.admin_call("GET", "/events?state=dead&limit=1").json["data"]
    quoted = re.compile("^Replay all of|^Replay all$")
    openers: list[tuple[str, str | re.Pattern[str]]] = [
        ("#/settings/stripe", "Register another"),
        ("#/settings/stripe", "Deregister main"),
        ("#/settings/endpoints", re.compile("^Register")),
        ("#/settings/endpoints/main", "Disable"),
        ("#/settings/endpoints/main", "Rotate the secret"),
        ("#/settings/endpoints/main", "Deregister"),
        ("#/attention", quoted),
        ("#/events?state=dead", quoted),
        ("#/events?state=dead", re.compile("^Close all")),
        (f"#/events/{dead['id']}", "Replay"),
        (f"#/events/{dead['id']}", "Close without applying"),
        ("#/records/customers", "Export all"),
        ("#/records/customers/cus_of_nobody", re.compile("^Erase")),
        ("#/audit", re.compile("^Details of")),
    ]
    for address, name in openers:
        window.open(address)
        window.settle()
        opener = button(page, name)
        press(page, opener)
        expect(dialog(page), f"{name} of {address} opens no dialog").to_be_visible()
        page.keyboard.press("Tab")
        stays_inside(page)
        page.keyboard.press("Escape")
        expect(dialog(page), f"{name} of {address} does not close").to_be_hidden()
        expect(opener, f"{name} of {address} does not get the focus back").to_be_focused()


def test_the_menu_of_a_phone_opens_and_leads_on(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack, viewport={"width": 375, "height": 720}) as window:
        window.enter()
        page = window.page
        menu = page.get_by_role("button", name="Menu")
        press(page, menu)
        expect(dialog(page)).to_be_visible()
        stays_inside(page)
        page.keyboard.press("Escape")
        expect(dialog(page)).to_be_hidden()
        expect(menu).to_be_focused()
        page.keyboard.press("Enter")
        press(page, dialog(page).get_by_role("link", name="Audit"))
        expect(page.get_by_role("heading", level=1, name="Audit")).to_be_focused()


def test_a_webhook_is_registered_tested_rotated_and_deregistered(window: Console) -> None:
    page = window.page
    window.open("#/settings/stripe")
    window.settle()
    opener = button(page, "Register another")
    press(page, opener)
    form = dialog(page)
    reach(page, form.get_by_label("Name"))
    page.keyboard.type("keys")
    reach(page, form.get_by_role("radio", name=re.compile("^Everything")))
    page.keyboard.press("ArrowDown")
    expect(form.get_by_role("radio", name=re.compile("^Only these"))).to_be_checked()
    reach(page, form.get_by_role("searchbox"))
    page.keyboard.type("charge.refund")
    press(page, form.get_by_role("checkbox", name="charge.refunded"), "Space")
    expect(form.get_by_text("1 type chosen").first).to_be_visible()
    press(page, form.get_by_role("button", name="Register", exact=True))
    shown = form.get_by_role("button", name="Show", exact=True)
    shown.wait_for(timeout=SOON_MS)
    press(page, shown)
    secret = form.get_by_text(re.compile("whsec_")).inner_text()
    press(page, form.get_by_role("button", name="Copy Signing secret"))
    expect(form.get_by_role("status").get_by_text("Copied").first).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    press(page, form.get_by_role("button", name="Done"))
    expect(form).to_be_hidden()
    expect(opener).to_be_focused()

    window.open("#/settings/endpoints/keys")
    window.settle()
    press(page, button(page, "Test"))
    steps = page.get_by_role("list", name="Test")
    expect(steps.get_by_text("There", exact=True)).to_have_count(2, timeout=SOON_MS)
    press(page, button(page, "Change the address or the description"))
    expect(page.get_by_role("textbox", name="Address")).to_be_focused()
    reach(page, page.get_by_role("textbox", name="Description"))
    page.keyboard.type("by the keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is changed, at Stripe too.")).to_be_visible(timeout=SOON_MS)
    expect(button(page, "Change the address or the description")).to_be_focused()
    rotates(page)
    press(page, button(page, "Deregister"))
    ask = dialog(page)
    expect(ask.get_by_role("textbox")).to_be_focused()
    expect(ask.get_by_role("button", name="Deregister")).to_be_disabled()
    page.keyboard.type("keys")
    press(page, ask.get_by_role("button", name="Deregister"))
    expect(page.get_by_role("heading", level=1, name="Endpoints")).to_be_focused(timeout=SOON_MS)


def rotates(page: Page) -> None:
    """Begins a rotation, and gives it up."""
    press(page, button(page, "Show the secret"))
    press(page, button(page, re.compile("^Show$")))
    expect(page.get_by_text(re.compile("whsec_"))).to_be_visible()
    press(page, button(page, "Hide now"))
    opener = button(page, "Rotate the secret")
    press(page, opener)
    form = dialog(page)
    reach(page, form.get_by_role("radio", name=re.compile("^When everything is here")))
    page.keyboard.press("ArrowDown")
    expect(form.get_by_role("radio", name=re.compile("^At once"))).to_be_checked()
    page.keyboard.press("ArrowUp")
    press(page, form.get_by_role("button", name="Rotate", exact=True))
    form.get_by_role("button", name="Show", exact=True).wait_for(timeout=SOON_MS)
    press(page, form.get_by_role("button", name="Done"))
    expect(form).to_be_hidden()
    press(page, button(page, "Give it up"))
    press(page, dialog(page).get_by_role("button", name="Give it up"))
    expect(dialog(page)).to_be_hidden(timeout=SOON_MS)
    expect(opener).to_be_visible(timeout=SOON_MS)


def test_many_events_are_counted_replayed_and_stopped(window: Console) -> None:
    """The answers are the test's: what waits is left for others."""
    page = window.page
    held: list[Route] = []

    def answer(route: Route) -> None:
        outcome = {"matching": 240, "changed": 0, "overtaken": 0, "failed": 0, "next_cursor": None}
        if (route.request.post_data_json or {}).get("dry_run"):
            route.fulfill(json=outcome | {"dry_run": True})
        else:
            held.append(route)

    page.route("**/events/replay", answer)
    window.open("#/events?state=dead")
    window.settle()
    opener = button(page, re.compile("^Replay all"))
    press(page, opener)
    ask = dialog(page)
    expect(ask.get_by_text("240 events will be applied again")).to_be_visible()
    reach(page, ask.get_by_label("Why"))
    page.keyboard.type("by the keyboard")
    press(page, ask.get_by_role("button", name="Replay 240"))
    stays_inside(page)
    press(page, ask.get_by_role("button", name="Stop"))
    page.keyboard.press("Escape")
    expect(ask, "what is under way is not left by Escape").to_be_visible()
    step = {"matching": 100, "changed": 100, "overtaken": 0, "failed": 0, "dry_run": False}
    held[0].fulfill(json=step | {"next_cursor": "more"})
    expect(ask.get_by_text("Stopped before the end")).to_be_visible()
    assert len(held) == 1
    assert "by the keyboard" in (held[0].request.post_data or "")
    reach(page, ask.get_by_role("button", name="Go on"))
    page.keyboard.press("Escape")
    expect(ask).to_be_hidden()
    expect(opener).to_be_focused()


def test_events_are_filtered_and_the_filters_cleared(window: Console) -> None:
    page = window.page
    window.go("Events")
    window.settle()
    reach(page, page.get_by_role("combobox", name="State"))
    page.keyboard.type("Dead")
    expect(page).to_have_url(re.compile("state=dead"))
    reach(page, page.get_by_label("Type", exact=True))
    page.keyboard.type("customer.*")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"type=customer\.\*"))
    press(page, button(page, "More filters"))
    expect(page.get_by_role("combobox", name="Endpoint")).to_be_focused()
    press(page, button(page, re.compile("^Clear filters")))
    expect(page).to_have_url(re.compile("#/events$"))
    expect(page.get_by_role("combobox", name="State")).to_be_focused()
    press(page, button(page, "Pause"))
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    press(page, button(page, "Go on"))
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_a_bar_of_the_chart_leads_to_its_hour_and_state(window: Console) -> None:
    page = window.page
    press(page, button(page, "Show as a table"))
    table = page.get_by_role("table").first
    press(page, table.get_by_role("link", name=re.compile(": Dead, of those")).last)
    expect(page.get_by_role("heading", level=1, name="Events")).to_be_focused()
    expect(page).to_have_url(re.compile(r"#/events\?state=dead&since=[^&]+&until=[^&]+$"))
    window.settle()
    expect(page.get_by_role("combobox", name="State")).to_have_value("dead")
    expect(page.get_by_role("row").nth(1)).to_be_visible()


def test_a_payload_is_read_node_by_node_and_an_id_is_copied(window: Console) -> None:
    page = window.page
    (event,) = window.stack.admin_call("GET", "/events?limit=1&type=charge.*").json["data"]
    window.open(f"#/events/{event['id']}")
    window.settle()
    press(page, button(page, f"Copy {event['id']}"))
    assert page.evaluate("navigator.clipboard.readText()") == event["id"]
    tree = page.get_by_role("tree").last
    reach(page, tree.get_by_role("treeitem").first)
    page.keyboard.press("End")
    page.keyboard.press("Home")
    data = tree.get_by_role("treeitem", name=re.compile("^data")).first
    for _ in range(20):
        if data.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    expect(data).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(data).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(data).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    expect(data).not_to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(data).to_be_focused()
    reach(page, page.get_by_role("searchbox", name="Find in it"), back=True)
    page.keyboard.type("amount")
    expect(page.get_by_text(re.compile("places? found"))).to_be_visible()


def test_folded_checks_open_and_the_ignored_events_are_chosen(window: Console) -> None:
    page = window.page
    window.go("Stripe")
    window.settle()
    fine = page.get_by_role("main").locator("summary").filter(has_text=re.compile("checks? (is|are) well"))
    press(page, fine)
    expect(fine.locator("xpath=..")).to_have_attribute("open", "")
    press(page, fine)
    expect(fine.locator("xpath=..")).not_to_have_attribute("open", "")
    press(page, button(page, "Check again now"))
    expect(page.get_by_text("Stripe was asked just now.")).to_be_visible(timeout=SOON_MS)
    press(page, page.get_by_role("main").locator("summary").filter(has_text="Replace the key"))
    reach(page, page.get_by_label("Stripe key", exact=True))
    for title in ("Ignored events", "Trying again"):
        change = button(page, f"Change: {title}")
        press(page, change)
        press(page, page.get_by_role("main").get_by_role("button", name="Cancel"))
        expect(change).to_be_focused()


def test_somebody_is_found(window: Console) -> None:
    page = window.page
    box = page.get_by_role("banner").get_by_role("searchbox")
    reach(page, box)
    page.keyboard.type(console_story.ANNAS_EMAIL)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Results")
    window.settle()
    press(page, page.get_by_role("main").get_by_role("link", name=re.compile("Anna")).first)
    window.settle()
    expect(page).to_have_url(re.compile(console_story.ANNA))


def test_who_was_signed_out_signs_in_again_and_is_where_they_were(window: Console) -> None:
    page = window.page
    window.open("#/audit")
    window.settle()
    page.route("**/status", lambda route: route.fulfill(status=401, json={"message": "Unauthorized"}))
    press(page, page.get_by_role("navigation").first.get_by_role("link", name="Overview"))
    ended = page.get_by_role("dialog", name="Your session has ended")
    expect(ended).to_be_visible()
    stays_inside(page)
    page.keyboard.press("Escape")
    expect(ended, "nothing can be done without signing in").to_be_visible()
    page.unroute("**/status")
    reach(page, ended.get_by_role("button", name="Sign in again"))
    with window.context.expect_page() as opening:
        page.keyboard.press("Enter")
    with opening.value.expect_event("close"):
        window.give_password(opening.value, "admin")
    expect(ended).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.locator(":focus")).to_have_count(1)
    window.expect_faults("401")
