"""Signed deliveries, for the tests that send some."""

import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

import stripe
from localcloud import client
from localcloud.client import Answer
from localcloud.surroundings import ROOT

SAMPLE = json.loads((ROOT / "events" / "stripe" / "customer.updated.json").read_text())
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Endpoint:
    """A registered endpoint, as one who sends to it knows it."""

    url: str
    secret: str

    def deliver(self, body: str | bytes, header: str | None) -> Answer:
        """One delivery, with the signature header as given."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if header is not None:
            headers["Stripe-Signature"] = header
        return client.send("POST", self.url, body.encode() if isinstance(body, str) else body, headers)

    def sign(self, body: str, at: int | None = None, secret: str | None = None) -> str:
        """The header that Stripe's library makes."""
        return stripe.WebhookSignature.generate_signature_header(body, secret or self.secret, timestamp=at)


def event(**changes: Any) -> str:
    """An event that has not been sent before, written as Stripe writes it."""
    fresh = f"evt_1Signature{next(_numbers):06}{time.time_ns()}"
    return json.dumps(SAMPLE | {"id": fresh, "livemode": False} | changes, indent=2, ensure_ascii=False)
