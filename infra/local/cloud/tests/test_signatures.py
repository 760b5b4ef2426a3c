"""Signatures, against Stripe's own library: what it signs is taken, and what it would refuse is refused.

Where we refuse more than the library does (times in the future, numbers written oddly), it says so.
"""

import json
import time

import pytest
import stripe

from localcloud.stack import Stack
from signed_deliveries import Endpoint, event


def v1(header: str) -> str:
    """Returns the signature in a header."""
    return header.partition(",v1=")[2]


def test_what_stripes_library_signs_is_stored(stack: Stack, endpoint: Endpoint) -> None:
    body = event()
    header = endpoint.sign(body)
    sent = stripe.Webhook.construct_event(body, header, endpoint.secret)
    response = endpoint.deliver(body, header)
    assert (response.status, response.json) == (
        200,
        {"received": True, "event": sent.id, "outcome": "stored"},
    )
    assert stack.admin_call("GET", f"/events/{sent.id}").status == 200


def test_sent_again_it_is_a_duplicate(endpoint: Endpoint) -> None:
    body = event()
    assert endpoint.deliver(body, endpoint.sign(body)).json["outcome"] == "stored"
    # Each retry of Stripe's is signed again, with its own time.
    later = endpoint.sign(body, at=int(time.time()) - 7)
    again = endpoint.deliver(body, later)
    assert (again.status, again.json["outcome"]) == (200, "duplicate")


def test_the_signature_is_over_the_bytes_as_sent(endpoint: Endpoint) -> None:
    body = event(description="Zoë paid 10 € — 支払い\u2028")
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    compact = json.dumps(json.loads(body), separators=(",", ":"))
    assert endpoint.deliver(compact, endpoint.sign(body)).code == "signature_mismatch"


# Headers that the library takes, and so do we; {t}, {v1} and {bad} are filled in.
TAKEN = {
    "a good signature after a bad one": "t={t},v1={bad},v1={v1}",
    "a good signature before a bad one": "t={t},v1={v1},v1={bad}",
    "the fake scheme of test events beside it": "t={t},v1={v1},v0={bad}",
    "a scheme nobody knows beside it": "t={t},v9={bad},v1={v1}",
    "commas at the end": "t={t},v1={v1},,",
}


@pytest.mark.parametrize("form", TAKEN.values(), ids=TAKEN.keys())
def test_a_header_that_the_library_takes_is_taken(endpoint: Endpoint, form: str) -> None:
    body = event()
    header = _filled(endpoint, body, form)
    stripe.WebhookSignature.verify_header(body, header, endpoint.secret, tolerance=300)
    assert endpoint.deliver(body, header).status == 200


# Headers that the library refuses, and the code of our refusal.
REFUSED = {
    "only the fake scheme": ("t={t},v0={v1}", "signature_malformed"),
    "only a scheme nobody knows": ("t={t},v2={v1}", "signature_malformed"),
    "no time": ("v1={v1}", "signature_malformed"),
    "a time without digits": ("t=now,v1={v1}", "signature_malformed"),
    "an empty time": ("t=,v1={v1}", "signature_malformed"),
    "not a header of this kind at all": ("{v1}", "signature_malformed"),
    "another signature": ("t={t},v1={bad}", "signature_mismatch"),
    "another time than was signed": ("t=1,v1={v1}", "signature_mismatch"),
}


@pytest.mark.parametrize(("form", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_header_that_the_library_refuses_is_refused(endpoint: Endpoint, form: str, code: str) -> None:
    body = event()
    header = _filled(endpoint, body, form)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body, header, endpoint.secret, tolerance=300)
    response = endpoint.deliver(body, header)
    assert (response.status, response.code) == (400, code)


# Refused by the library and by us. Whether such a thing is no signature or a wrong one is a matter of taste.
NEARLY = {
    "uppercase": "t={t},v1={V1}",
    "cut short": "t={t},v1={v1cut}",
    "one digit more": "t={t},v1={v1}0",
    "an empty signature": "t={t},v1=",
    "a space after the comma": "t={t}, v1={v1}",
    "an uppercase scheme": "t={t},V1={v1}",
}


@pytest.mark.parametrize("form", NEARLY.values(), ids=NEARLY.keys())
def test_a_signature_that_is_nearly_right_is_refused(endpoint: Endpoint, form: str) -> None:
    body = event()
    header = _filled(endpoint, body, form)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body, header, endpoint.secret, tolerance=300)
    response = endpoint.deliver(body, header)
    assert (response.status, response.code in ("signature_malformed", "signature_mismatch")) == (400, True)


@pytest.mark.parametrize("header", [None, ""])
def test_without_a_signature_it_is_refused(endpoint: Endpoint, header: str | None) -> None:
    response = endpoint.deliver(event(), header)
    assert (response.status, response.code) == (400, "signature_missing")


def test_another_endpoints_secret_is_refused(endpoint: Endpoint) -> None:
    body = event()
    response = endpoint.deliver(body, endpoint.sign(body, secret="whsec_" + "0" * 32))
    assert (response.status, response.code) == (400, "signature_mismatch")


def test_the_whole_secret_is_the_key(endpoint: Endpoint) -> None:
    body = event()
    response = endpoint.deliver(body, endpoint.sign(body, secret=endpoint.secret.removeprefix("whsec_")))
    assert (response.status, response.code) == (400, "signature_mismatch")


# The edge itself, 300 against 301 seconds, is a unit test's, with a clock of its own.
@pytest.mark.parametrize(("age", "status"), [(290, 200), (310, 400), (-290, 200), (-310, 400)])
def test_five_minutes_either_way_are_tolerated(endpoint: Endpoint, age: int, status: int) -> None:
    # The library tolerates any time in the future; a signature that is made ahead of time could wait for its
    # day.
    body = event()
    response = endpoint.deliver(body, endpoint.sign(body, at=int(time.time()) - age))
    assert response.status == status
    assert response.code == (None if status == 200 else "timestamp_out_of_tolerance")


def test_milliseconds_are_no_seconds(endpoint: Endpoint) -> None:
    body = event()
    response = endpoint.deliver(body, endpoint.sign(body, at=time.time_ns() // 1_000_000))
    assert (response.status, response.code) == (400, "timestamp_out_of_tolerance")


def test_an_old_time_is_reported_only_if_the_signature_is_right(endpoint: Endpoint) -> None:
    body = event()
    response = endpoint.deliver(body, f"t={int(time.time()) - 3600},v1={'0' * 64}")
    assert (response.status, response.code) == (400, "signature_mismatch")


@pytest.mark.parametrize("form", ["t=+{t},v1={v1}", "t= {t},v1={v1}", "t={t} ,v1={v1}", "t={t}.5,v1={v1}"])
def test_a_time_is_digits_and_nothing_else(endpoint: Endpoint, form: str) -> None:
    # The library takes the first three, because it prints the number again before it signs.
    body = event()
    assert endpoint.deliver(body, _filled(endpoint, body, form)).status == 400


@pytest.mark.parametrize("body", ["", "not json", "[]", '"evt_1"', "{}", '{"id":7}', '{"id":"evt_1"'])
def test_signed_but_no_event_is_refused(endpoint: Endpoint, body: str) -> None:
    response = endpoint.deliver(body, endpoint.sign(body))
    assert (response.status, response.code) == (400, "payload_invalid")


def test_signed_but_unreadable_is_kept_and_set_aside(stack: Stack, endpoint: Endpoint) -> None:
    identity = json.loads(event())["id"]
    body = json.dumps({"id": identity, "from": "a version of Stripe that nobody knows yet"})
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    kept = stack.admin_call("GET", f"/events/{identity}")
    assert (kept.status, kept.json["state"]) == (200, "quarantined")


def test_several_megabytes_are_taken(endpoint: Endpoint) -> None:
    body = event(padding="x" * 4_000_000)
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200


def test_an_event_of_the_other_mode_is_kept_and_set_aside(stack: Stack, endpoint: Endpoint) -> None:
    body = event(livemode=True)
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    kept = stack.admin_call("GET", f"/events/{json.loads(body)['id']}")
    assert (kept.status, kept.json["state"]) == (200, "quarantined")


def test_a_refused_delivery_leaves_nothing(stack: Stack, endpoint: Endpoint) -> None:
    body = event()
    assert endpoint.deliver(body, endpoint.sign(body, secret="whsec_guessed")).status == 400
    assert stack.admin_call("GET", f"/events/{json.loads(body)['id']}").status == 404


def _filled(endpoint: Endpoint, body: str, form: str) -> str:
    now = int(time.time())
    good = v1(endpoint.sign(body, at=now))
    return form.format(t=now, v1=good, V1=good.upper(), v1cut=good[:-1], bad="0" * 64)
