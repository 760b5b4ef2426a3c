"""What signs somebody in leaves no trace: in no log, no address, and no storage that lasts."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs

from playwright.sync_api import Browser, expect

import console_story
from console_browser import Console, console
from localcloud.settings import LOCAL
from localcloud.stack import Stack


def test_token_code_and_verifier_are_in_no_log_and_no_address(browser: Browser, console_stack: Stack) -> None:
    with console(browser, console_stack) as window:
        said: list[str] = []
        visited: list[str] = []
        window.page.on("console", lambda message: said.append(message.text))
        window.page.on("framenavigated", lambda frame: visited.append(frame.url))
        window.open("#/audit")
        window.sign_in()
        secrets = signed_in_with(window)
        use(window)
        secrets["signing secret"] = str(
            console_stack.admin_call("GET", "/endpoints/main/secret").json["signing_secret"]
        )

        # The pool sends the code back in one address: the protocol has no other way. It is worth nothing
        # without the verifier, and but once; the page takes it out of its address before all else.
        with_code = [request for request in window.requests if secrets["code"] in request.url]
        assert [request.url.split("?")[0] for request in with_code] == [window.url]
        assert with_code[0].is_navigation_request()
        for name, secret in secrets.items():
            for request in window.requests:
                if request not in with_code:
                    assert secret not in request.url, f"the {name} is in {request.url}"
                assert secret not in request.headers.get("referer", ""), f"the {name} is a referrer"
            assert not [text for text in said if secret in text], f"the browser's console has the {name}"
            assert secret not in window.page.url
            assert secret not in window.stored(), f"the {name} is in a storage that lasts"
            assert secret not in str(window.context.cookies()), f"the {name} is in a cookie"
        assert not [address for address in visited if "code=" in address and address != with_code[0].url]
        assert secrets["verifier"] not in window.page.evaluate("JSON.stringify({...sessionStorage})")

    logs = dict(logs_of(console_stack))
    # Those of what was called are there, and tell of it.
    for function in ("Status", "Records", "Register", "Replay", "Console"):
        assert any(f"{function}Log" in name and text for name, text in logs.items()), f"no log of {function}"
    for name, secret in secrets.items():
        for log, text in logs.items():
            assert secret not in text, f"the {name} is in the log {log}"


def test_the_log_of_requests_names_the_route_and_not_what_was_asked(console_stack: Stack) -> None:
    """The local cloud writes none; so what it would have is read from its format."""
    gateway = console_stack.aws("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    (stage,) = gateway.get_stages(ApiId=api["ApiId"])["Items"]
    written = stage["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in written
    for part in ("path", "query", "header", "body", "referer", "$request"):
        assert part not in written.lower(), part
    of_the_token = set(re.findall(r"authorizer\.([\w.]+)", written))
    assert of_the_token == {"claims.sub", "error"}


def signed_in_with(window: Console) -> dict[str, str]:
    """Returns what signed them in: the token whole and its parts that are its own, the code, the verifier."""
    (exchange,) = [request for request in window.requests if "/oauth2/token" in request.url]
    form = parse_qs(exchange.post_data or "")
    held = str(window.page.evaluate("JSON.stringify({...sessionStorage})"))
    (token,) = re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", held)
    _, claims, signature = token.split(".")
    return {
        "token": token,
        "claims of the token": claims,
        "signature of the token": signature,
        "code": form["code"][0],
        "verifier": form["code_verifier"][0],
    }


def use(window: Console) -> None:
    """Does what people do: reads, searches, tests, looks at a secret, is refused something."""
    page = window.page
    for name in ("Overview", "Events", "Stripe", "Records"):
        window.go(name)
        window.settle()
    page.get_by_role("main").get_by_role("searchbox").fill(console_story.ANNAS_EMAIL)
    page.keyboard.press("Enter")
    window.settle()
    window.open("#/settings/endpoints/main")
    window.settle()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text(re.compile("It came through"))).to_be_visible()
    page.get_by_role("button", name="Show the secret").click()
    page.get_by_role("button", name="Hide now").click()
    window.open("#/events?state=dead&reason=none")
    window.open("#/events?object=nonsense")
    expect(page.get_by_text(re.compile("One of the filters"))).to_be_visible()
    window.open("#/events?state=dead")
    page.get_by_role("button", name=re.compile("^Replay all")).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.reload()
    window.settle()
    window.expect_faults("400")


def logs_of(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yields every log of the local cloud: of each function, of the API, of its programs on this machine."""
    logs = stack.aws("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            yield (
                group["logGroupName"],
                "\n".join(event["message"] for found in events for event in found["events"]),
            )
    for file in sorted((LOCAL / "logs").glob("*/*.log")):
        yield str(file.relative_to(LOCAL)), file.read_text(errors="replace")
