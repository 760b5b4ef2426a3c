"""Signed deliveries, for the tests that send some."""

import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

import stripe

from localcloud import client
from localcloud.client import Response
from localcloud.settings import ROOT

SAMPLE = json.loads((ROOT / "events" / "stripe" / "customer.updated.json").read_text())
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Endpoint:
    """A registered endpoint: its URL and its signing secret."""

    url: str
    secret: str

    def deliver(self, body: str | bytes, header: str | None) -> Response:
        """Sends one delivery, with the signature header as given."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if header is not None:
            headers["Stripe-Signature"] = header
        return client.send("POST", self.url, body.encode() if isinstance(body, str) else body, headers)

    def sign(self, body: str, at: int | None = None, secret: str | None = None) -> str:
        """Returns the header that Stripe's library makes."""
        header: str = stripe.WebhookSignature.generate_signature_header(
            body, secret or self.secret, timestamp=at
        )
        return header


def event(**changes: Any) -> str:
    """Returns an event with a new id, written as Stripe writes it."""
    fresh = f"evt_1Signature{next(_numbers):06}{time.time_ns()}"
    return json.dumps(SAMPLE | {"id": fresh, "livemode": False} | changes, indent=2, ensure_ascii=False)
