"""JSON over HTTP, as a client outside sees it: every status is a response, and only silence is an error."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, TypeVar

T = TypeVar("T")

# Over the API's own 30 seconds, so that its response comes before our limit.
TIMEOUT_S = 35.0

# Without a proxy, whatever the user's environment says: all of this is on one machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Response:
    """A response: its status, its body, and its headers by their names in small letters."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body read as JSON; ``None`` if it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def code(self) -> str | None:
        """The code of an error in Billhook's form."""
        body = self.json
        error = body.get("error") if isinstance(body, dict) else None
        return error.get("code") if isinstance(error, dict) else None


# Each is called with method, URL and response before the caller gets the response: by these the end-to-end
# tests check every response of the API.
observers: list[Callable[[str, str, Response], None]] = []


def send(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_S,
) -> Response:
    """Sends bytes as they are."""
    response = _send(method, url, body, headers, timeout)
    for observe in observers:
        observe(method, url, response)
    return response


def _send(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None, timeout: float
) -> Response:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    try:
        with _opener.open(request, timeout=timeout) as received:
            return _response(received.status, received.read(), received.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _response(error.code, error.read(), error.headers)


def _response(status: int, body: bytes, headers: Message) -> Response:
    named = {name.lower(): value for name, value in headers.items()}
    return Response(status, body.decode(errors="replace"), named)


def send_json(
    method: str, url: str, token: str | None = None, body: Any = None, timeout: float = TIMEOUT_S
) -> Response:
    """Sends JSON, signed in if a token is given."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is None:
        return send(method, url, None, headers, timeout)
    return send(
        method, url, json.dumps(body).encode(), headers | {"Content-Type": "application/json"}, timeout
    )


def poll(read: Callable[[], T], accept: Callable[[T], bool], timeout: float, interval: float = 0.2) -> T:
    """Reads a value until it is accepted, and returns it; the error after the timeout shows the last one."""
    deadline = time.monotonic() + timeout
    while True:
        value = read()
        if accept(value):
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} seconds; last seen: {value}")
        time.sleep(interval)
