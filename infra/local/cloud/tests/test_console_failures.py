"""What goes wrong between the console and the API looks like what it is, and says what to do."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from console_browser import Console, console
from localcloud.stack import Stack


@pytest.fixture
def window(browser: Browser, console_stack: Stack) -> Iterator[Console]:
    """An admin's window, at the overview."""
    with console(browser, console_stack) as opened:
        opened.enter()
        yield opened


ERROR = {
    "code": "of_a_test",
    "message": "the test says so",
    "remedy": "do what the test says",
    "request_id": "request-of-a-test",
}


@pytest.mark.parametrize(
    ("status", "body", "title", "text"),
    [
        (403, {"error": ERROR | {"code": "forbidden"}}, "You may not do this", "Do what the test says"),
        (404, {"error": ERROR | {"code": "not_found"}}, "There is no such thing here", "request-of-a-test"),
        (400, {"error": ERROR}, "Something in it is wrong", "Do what the test says"),
        (413, {"message": "Request Too Large"}, "That is too large", "Send less at once"),
        (200, "<html>a proxy's page</html>", "An answer that makes no sense", "another network"),
    ],
)
def test_a_refusal_says_what_it_is_and_what_to_do(
    window: Console, status: int, body: dict[str, object] | str, title: str, text: str
) -> None:
    def refuse(route: Route) -> None:
        if isinstance(body, str):
            route.fulfill(status=status, body=body, content_type="text/html")
        else:
            route.fulfill(status=status, json=body)

    window.page.route("**/audit?*", refuse)
    window.go("Audit")
    page = window.page
    expect(page.get_by_text(title)).to_be_visible()
    expect(page.get_by_text(re.compile(text)).first).to_be_visible()
    if status not in {200, 404}:
        window.expect_faults(str(status))


@pytest.mark.parametrize(
    ("status", "title"),
    [(429, "Too many requests"), (500, "Billhook failed"), (503, "Not available right now")],
)
def test_what_passes_is_tried_again_and_what_stays_is_told(window: Console, status: int, title: str) -> None:
    page = window.page
    answers = iter([status])

    def once(route: Route) -> None:
        if next(answers, None):
            route.fulfill(status=status, json={"message": "of a test"})
        else:
            route.fallback()

    page.route("**/audit?*", once)
    window.go("Audit")
    expect(page.get_by_role("table").or_(page.get_by_text("Nobody has changed"))).to_be_visible()
    assert next(answers, None) is None, "nothing was asked"

    page.unroute("**/audit?*")
    page.route("**/audit?*", lambda route: route.fulfill(status=status, json={"message": "of a test"}))
    page.reload()
    expect(page.get_by_text(title)).to_be_visible(timeout=60_000)
    page.unroute("**/audit?*")
    again = page.get_by_role("button", name="Try again")
    again.or_(page.get_by_role("table")).first.wait_for(timeout=60_000)
    if again.is_visible():
        again.click()
    expect(page.get_by_text(title)).to_be_hidden(timeout=60_000)
    if status != 503:
        window.expect_faults(str(status))


def test_a_stopped_api_leaves_what_is_shown_and_says_how_old_it_is(window: Console) -> None:
    page = window.page
    heartbeat = page.get_by_role("main").get_by_text(re.compile("Last event", re.IGNORECASE)).first
    expect(heartbeat).to_be_visible()
    window.context.set_offline(True)
    expect(page.get_by_text(re.compile("Could not be refreshed")).first).to_be_visible(timeout=90_000)
    expect(heartbeat).to_be_visible()
    window.context.set_offline(False)
    expect(page.get_by_text(re.compile("Could not be refreshed"))).to_have_count(0, timeout=90_000)
    window.expect_faults("ERR_INTERNET_DISCONNECTED")


def test_a_slow_answer_is_waited_for_and_the_page_says_so(window: Console) -> None:
    page = window.page
    waiting: list[Route] = []
    page.route("**/audit?*", lambda route: waiting.append(route))
    window.go("Audit")
    expect(page.get_by_text("Still waiting")).to_be_visible(timeout=15_000)
    # Nothing is frozen meanwhile.
    window.go("Overview")
    window.go("Audit")
    for route in waiting:
        route.fallback()
    page.unroute("**/audit?*")
    expect(page.get_by_text("Still waiting")).to_be_hidden()


def test_two_tabs_do_not_fight(browser: Browser, console_stack: Stack) -> None:
    """Each tab has its own session; to sign out of one leaves the other."""
    with console(browser, console_stack) as window:
        window.open()
        window.sign_in()
        second = window.context.new_page()
        second.goto(window.url)
        other = Console(console_stack, window.context, second, window.url)
        other.sign_in("viewer")
        expect(second.get_by_text("Viewer", exact=True).first).to_be_visible()
        window.page.reload()
        expect(window.page.get_by_text("Admin", exact=True).first).to_be_visible()
        second.get_by_role("button", name="Sign out").click()
        expect(second.get_by_role("button", name="Sign in")).to_be_visible()
        window.go("Audit")
        expect(window.page.get_by_role("heading", level=1)).to_have_text("Audit")


def test_an_address_that_leads_nowhere_says_so(window: Console) -> None:
    window.open("#/no/such/page")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_nothing_that_changes_something_is_sent_twice(window: Console) -> None:
    """A request whose answer was lost may have done its work; whether to send it anew is for a person."""
    page = window.page
    sent: list[Request] = []

    def lose(route: Route, request: Request) -> None:
        sent.append(request)
        route.abort()

    page.route("**/endpoints/main/test", lose)
    window.open("#/settings/endpoints/main")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text(re.compile("No connection|No answer")).first).to_be_visible()
    assert len(sent) == 1
    window.expect_faults("ERR_FAILED")
