"""The console as a person uses it: Chromium, driven by Playwright, on a stack of its own.

Whatever the page does wrong on the way fails the test that it happens in: an error in the browser's console,
a breach of the page's policy, a request to another origin, an answer of 500.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

from localcloud.settings import LOCAL, ROOT
from localcloud.stack import Stack

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# It runs as root in a container, without a graphics card; the rest keeps it off the network.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What is no fault: the pool's page on this machine has no icon; a thing that is not there is an answer; and a
# busy machine may not answer in time, which the page tries again.
ORDINARY = ("favicon", "status of 404", "status of 503")
# Each page as it was when it was looked at last.
SCREENSHOTS = LOCAL / "screenshots"
AXE = ROOT / "functions" / "console" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
# What WCAG 2.2 asks for at its levels A and AA.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Where the page keeps the token of its tab, and by what a tab knows that a test has put one there.
TOKEN, PUT = "billhook.id-token", "put-by-a-test"
# So long a page may take until it shows what it loads.
SHOWN_WITHIN_S = 30.0


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Starts Chromium; the tests fail with what to do where there is none."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.fail("the console's tests need Chromium: `apt-get install chromium`, or as the system has it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Console:
    """A person's window with the console in it."""

    stack: Stack
    context: BrowserContext
    page: Page
    url: str
    # What went wrong on the way, until a test says that it was meant to.
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    # What is asked and not answered yet, with the window that asks.
    under_way: dict[Request, Page] = field(default_factory=dict)

    def open(self, path: str = "") -> None:
        """Opens a page of the console by its address, as from a bookmark."""
        self.page.goto(f"{self.url}{path}")

    def sign_in(self, user: str = "admin") -> None:
        """Signs in at the page of the pool, from wherever the console asks for it."""
        self.page.get_by_role("button", name="Sign in").click()
        self.give_password(self.page, user)
        self.page.locator("#main").wait_for()

    def enter(self, path: str = "", user: str = "admin") -> None:
        """Opens a page in a tab that is signed in already, where signing in is not the matter."""
        token = self.stack.description[user]["token"]
        self.context.add_init_script(
            f"""if (!sessionStorage.getItem({PUT!r}) && location.href.startsWith({json.dumps(self.url)})) {{
                sessionStorage.setItem({PUT!r}, "");
                sessionStorage.setItem({TOKEN!r}, {json.dumps(token)});
            }}"""
        )
        self.open(path)
        self.page.locator("#main").wait_for()

    def settle(self) -> None:
        """Waits until the page shows what it loads: no answer is to come, and the last one is drawn."""
        deadline = time.monotonic() + SHOWN_WITHIN_S
        quiet = 0
        while quiet < 2:
            waits = self.page.evaluate(
                """async () => {
                    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
                    return !document.querySelector('main h1') || !!document.querySelector('main .skeleton');
                }"""
            )
            quiet = 0 if waits or self.under_way else quiet + 1
            assert time.monotonic() < deadline, f"{self.page.url} still waits for {list(self.under_way)}"

    def give_password(self, page: Page, user: str) -> None:
        """Fills in the pool's own form."""
        account = self.stack.description[user]
        page.locator("input[name=username]").fill(account["username"])
        page.locator("input[name=password]").fill(account["password"])
        page.locator("button[type=submit], input[type=submit]").first.click()

    def go(self, name: str) -> None:
        """Follows a link of the navigation."""
        navigation = self.page.get_by_role("navigation").first
        navigation.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", level=1).first.wait_for()

    def expect_faults(self, *parts: str) -> None:
        """Takes the faults that were meant: each contains one of these, and each of these was there."""
        meant = [fault for fault in self.faults if any(part in fault for part in parts)]
        missing = [part for part in parts if not any(part in fault for fault in meant)]
        assert not missing, f"nothing went wrong with {missing}: {self.faults}"
        self.faults = [fault for fault in self.faults if fault not in meant]

    def axe(self) -> list[str]:
        """Returns what is wrong with the page for people who do not see it, or do not use a mouse."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", AXE_TAGS
        )
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def screenshot(self, name: str) -> None:
        """Keeps what the window shows."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def stored(self) -> str:
        """Returns all that outlives the tab: the lasting storage, the cookies, and the databases' names."""
        kept: Any = self.page.evaluate(
            "async () => JSON.stringify([{...localStorage}, document.cookie, await indexedDB.databases(),"
            " await caches.keys()])"
        )
        # Those of the pool's own pages are the pool's.
        own = urlsplit(self.url).path
        return str(kept) + str([cookie for cookie in self.context.cookies() if cookie.get("path") == own])


@contextlib.contextmanager
def console(browser: Browser, stack: Stack, url: str | None = None, **options: Any) -> Iterator[Console]:
    """Opens a window in which nobody has signed in; at its end nothing may have gone wrong in it."""
    context = browser.new_context(
        viewport=options.pop("viewport", {"width": 1280, "height": 900}),
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/Berlin",
        **options,
    )
    context.set_default_timeout(15_000)
    try:
        opened = Console(stack, context, context.new_page(), url or stack.console_url)
        context.on("page", _watch(opened))
        _watch(opened)(opened.page)
        yield opened
        assert not opened.faults, "\n".join(opened.faults)
    finally:
        context.close()


def _watch(opened: Console) -> Callable[[Page], None]:
    """Writes down what goes wrong in a window."""
    origin = _origin(opened.url)

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(
            part in f"{message.text} {message.location}" for part in ORDINARY
        ):
            opened.faults.append(f"{message.type}: {message.text} {message.location}")

    def asked(request: Request) -> None:
        opened.requests.append(request)
        if _origin(request.url) != origin and not request.url.startswith(("data:", "blob:")):
            opened.faults.append(f"a request to another origin: {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 500 and response.status != 503:
            opened.faults.append(f"{response.status}: {response.request.method} {response.url}")

    def ended(request: Request) -> None:
        opened.under_way.pop(request, None)

    def closed(page: Page) -> None:
        for request in [request for request, of in opened.under_way.items() if of == page]:
            del opened.under_way[request]

    def watch(page: Page) -> None:
        page.on("request", lambda request: opened.under_way.update({request: page}))
        page.on("console", said)
        page.on("pageerror", lambda error: opened.faults.append(f"uncaught: {error}"))
        page.on("request", asked)
        page.on("response", answered)
        page.on("requestfinished", ended)
        page.on("requestfailed", ended)
        page.on("close", closed)

    return watch


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
