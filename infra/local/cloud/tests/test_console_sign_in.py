"""Signing in to the console: by the pool's page, for as long as the tab is there, and nowhere else."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from console_browser import Console, console
from localcloud import client, users
from localcloud.stack import Stack


@pytest.fixture
def window(browser: Browser, console_stack: Stack) -> Iterator[Console]:
    """A window in which nobody has signed in."""
    with console(browser, console_stack) as opened:
        yield opened


def tokens(page: Page) -> list[str]:
    """Returns the tokens that the tab holds."""
    held = str(page.evaluate("JSON.stringify({...sessionStorage})"))
    return re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", held)


def test_somebody_signs_in_reloads_and_signs_out(window: Console) -> None:
    window.open("#/audit")
    window.sign_in()
    page = window.page
    # Where they wanted to go, and no code in the address or in the history.
    expect(page).to_have_url(f"{window.url}#/audit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")
    assert page.evaluate("location.search") == ""

    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert tokens(page) == []
    page.go_back()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Audit")


def test_a_token_is_in_the_tab_alone(window: Console) -> None:
    window.open()
    window.sign_in()
    page = window.page
    (token,) = tokens(page)
    assert "eyJ" not in window.stored()
    for request in window.requests:
        assert token not in request.url
        assert "eyJ" not in request.url, request.url
    # Another tab of the same browser is nobody's.
    other = window.context.new_page()
    other.goto(window.url)
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("?code=made-up&state=made-up", "This sign-in is out of date"),
        ("?error=access_denied&state=made-up", "This sign-in is out of date"),
    ],
)
def test_an_answer_that_nobody_asked_for_signs_nobody_in(window: Console, address: str, title: str) -> None:
    window.open(address)
    page = window.page
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert page.evaluate("location.search") == "", "the code stays in no address"
    assert tokens(page) == []
    assert not [request for request in window.requests if "/oauth2/token" in request.url]


def test_what_the_pool_refuses_is_told(window: Console) -> None:
    page = window.page
    window.open()

    def refuse(route: Route, request: Request) -> None:
        state = re.findall(r"[?&]state=([^&]+)", request.url)[0]
        location = f"{window.url}?error=access_denied&error_description=not+today&state={state}"
        route.fulfill(status=302, headers={"location": location})

    page.route("**/oauth2/authorize?*", refuse)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You were not signed in")
    expect(page.get_by_text("not today")).to_be_visible()


def test_somebody_in_no_group_learns_which_one_to_ask_for(window: Console, console_stack: Stack) -> None:
    pool = str(console_stack.issuer).rsplit("/", 1)[1]
    user = users.create(console_stack.aws_endpoint_url, pool, console_stack.client_id, "without-group", None)
    console_stack.description["without-group"] = user.as_dict()
    window.open()
    window.page.get_by_role("button", name="Sign in").click()
    window.give_password(window.page, "without-group")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("You have no role here")
    expect(window.page.get_by_text("“viewer”")).to_be_visible()


def test_when_the_session_ends_somebody_signs_in_beside_the_page_and_goes_on(window: Console) -> None:
    window.open("#/audit")
    window.sign_in()
    page = window.page
    page.evaluate("window.isStillTheSamePage = true")
    page.get_by_role("searchbox").first.fill("typed before")
    page.route("**/status", lambda route: route.fulfill(status=401, json={"message": "Unauthorized"}))
    window.go("Overview")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    page.unroute("**/status")
    with window.context.expect_page() as opening:
        dialog.get_by_role("button", name="Sign in again").click()
    popup = opening.value
    with popup.expect_event("close"):
        window.give_password(popup, "admin")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert page.evaluate("window.isStillTheSamePage")
    expect(page.get_by_role("searchbox").first).to_have_value("typed before")
    assert len(tokens(page)) == 1
    window.expect_faults("401")


def test_the_policy_holds(window: Console) -> None:
    page = window.page
    answer = page.goto(window.url)
    assert answer
    page.get_by_role("button", name="Sign in").wait_for()
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "'self'" in policy and "*" not in policy
    # Markup from a text, a script made of a text, and a call to somebody else: the browser refuses each.
    refused = page.evaluate(
        """async () => {
            const outcome = {};
            try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; outcome.markup = 'taken'; }
            catch (error) { outcome.markup = error.name; }
            try { const script = document.createElement('script'); script.text = 'window.ran = true';
                  document.body.append(script); outcome.script = window.ran ? 'ran' : 'refused'; }
            catch (error) { outcome.script = error.name; }
            try { await fetch('https://example.com/'); outcome.call = 'sent'; }
            catch (error) { outcome.call = error.name; }
            return outcome;
        }"""
    )
    assert refused == {"markup": "TypeError", "script": "TypeError", "call": "TypeError"}
    window.expect_faults("TrustedHTML", "TrustedScript", "example.com", "Trusted")


def test_no_other_page_may_read_or_frame_it(window: Console, console_stack: Stack) -> None:
    window.open()
    window.sign_in()
    (token,) = tokens(window.page)
    answer = client.send(
        "GET",
        f"{console_stack.api_url}/status",
        headers={"Authorization": f"Bearer {token}", "Origin": "https://evil.example"},
    )
    assert answer.status == 200
    assert "access-control-allow-origin" not in {name.lower() for name in answer.headers}
    page = client.send("GET", f"{console_stack.api_url}/")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    config = client.send("GET", f"{console_stack.api_url}/config.json")
    assert set(json.loads(config.text)) == {
        "mode",
        "stack_name",
        "issuer",
        "client_id",
        "authorize_url",
        "token_url",
        "logout_url",
        "groups_claim",
        "admin_group",
        "viewer_group",
    }
