"""JSON over HTTP, as a caller outside sees it: any status is an answer, and only silence is an error."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

# Over the API's own 30 seconds: its answer is wanted, not our impatience.
TIMEOUT_S = 35.0

# Without a proxy, whatever the user's environment says: all of this is on one machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """A response: its status, its body, and the body as JSON if it is that."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body read as JSON; ``None`` if it is none."""
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


def send(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_S,
) -> Answer:
    """Sends bytes as they are."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    try:
        with _opener.open(request, timeout=timeout) as response:
            return Answer(response.status, response.read().decode(errors="replace"))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read().decode(errors="replace"))


def call(method: str, url: str, token: str | None = None, body: Any = None, timeout: float = TIMEOUT_S) -> Answer:
    """Sends JSON, signed in if a token is given."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is None:
        return send(method, url, None, headers, timeout)
    return send(method, url, json.dumps(body).encode(), headers | {"Content-Type": "application/json"}, timeout)


def until(look: Callable[[], T], wanted: Callable[[T], bool], seconds: float, pause: float = 0.2) -> T:
    """Looks again and again until what is seen is what is wanted; what was seen last is in the error if it never is."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen):
            return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} seconds; last seen: {seen}")
        time.sleep(pause)
