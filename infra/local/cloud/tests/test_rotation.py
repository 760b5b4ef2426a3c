"""A signing secret is rotated under steady deliveries, and none is refused or lost."""

import itertools
import json
import threading
import time
from collections.abc import Iterator

import pytest

from endpoint_case import EndpointCase
from localcloud import client
from localcloud.settings import ROOT
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

_numbers = itertools.count(1)


@pytest.fixture
def case(stack: Stack) -> Iterator[EndpointCase]:
    """A registered endpoint of its own."""
    made = EndpointCase(stack, f"rotating-{next(_numbers)}")
    made.register()
    yield made
    made.deregister()


class Deliveries:
    """Sends deliveries one after the other, each signed with the next of the secrets that Stripe may use."""

    def __init__(self, url: str, secret: str) -> None:
        """Sends nothing yet."""
        self.url, self.secrets = url, [secret]
        self.responses: list[tuple[str, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            endpoint = Endpoint(self.url, self.secrets[number % len(self.secrets)])
            body = event()
            self.responses.append(
                (json.loads(body)["id"], endpoint.deliver(body, endpoint.sign(body)).status)
            )

    def __enter__(self) -> "Deliveries":
        """Starts."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, once the delivery under way is answered."""
        self._stop.set()
        self._thread.join()


def end_rotation(case: EndpointCase) -> None:
    """Makes reconciliation look complete up to now, some minutes later, which ends the rotation."""
    soon = str(int(time.time()) + 60)
    case.stack.aws("dynamodb").put_item(
        TableName=case.stack.tables["registry"],
        Item={"kind": {"S": "compared"}, "name": {"S": "-"}, "until": {"N": soon}, "failed": {"BOOL": False}},
    )
    schedule = (ROOT / "events" / "register" / "schedule.json").read_bytes()
    rotated: list[str] = []
    # The first endpoint goes, and in a later run its secret.
    for _ in range(2):
        case.set_row(state_since=int((time.time() - 120) * 1000))
        response = case.stack.aws("lambda").invoke(
            FunctionName=case.stack.functions["register"], Payload=schedule
        )
        rotated = json.loads(response["Payload"].read())["rotated"]
    assert case.name in rotated


def test_no_delivery_is_refused_or_lost_while_the_secret_is_changed(case: EndpointCase) -> None:
    with Deliveries(case.registered["url"], case.registered["signing_secret"]) as deliveries:
        response = case.stack.admin_call("POST", f"/endpoints/{case.name}/rotate")
        assert response.status == 200 and response.json["state"] == "rotating", response.text
        at_stripe = [
            one["secret"]
            for one in case.control("GET", "/endpoints").json
            if one["metadata"].get("billhook_name") == case.name
        ]
        assert set(at_stripe) == {case.registered["signing_secret"], response.json["signing_secret"]}
        deliveries.secrets = at_stripe
        client.poll(lambda: len(deliveries.responses), lambda sent: sent > 60, 60.0)
        # From here on Stripe sends by the second alone.
        deliveries.secrets = [response.json["signing_secret"]]
        end_rotation(case)
        ended = len(deliveries.responses)
        client.poll(lambda: len(deliveries.responses), lambda sent: sent > ended + 20, 60.0)
    assert {status for _, status in deliveries.responses} == {200}
    for event_id, _ in deliveries.responses:
        assert case.stack.admin_call("GET", f"/events/{event_id}").status == 200
    shown = case.stack.admin_call("GET", f"/endpoints/{case.name}").json
    assert (shown["state"], shown["signing_secret_hint"]) == ("active", response.json["signing_secret"][-4:])
    left = [
        one["id"]
        for one in case.control("GET", "/endpoints").json
        if one["metadata"].get("billhook_name") == case.name
    ]
    assert left == [shown["stripe_id"]]
    # The secret of before opens nothing any more, ten seconds later at the latest.
    old = Endpoint(case.registered["url"], case.registered["signing_secret"])
    body = event()
    client.poll(
        lambda: old.deliver(body, old.sign(body)).status, lambda status: status == 400, 15.0, interval=1.0
    )


def test_after_a_leak_the_old_secret_opens_nothing_and_the_new_one_does(case: EndpointCase) -> None:
    response = case.stack.admin_call("POST", f"/endpoints/{case.name}/rotate", {"at_once": True})
    assert response.status == 200 and response.json["state"] == "active", response.text
    assert "reconciliation" in response.json["consequence"]
    leaked = Endpoint(case.registered["url"], case.registered["signing_secret"])
    body = event()
    client.poll(
        lambda: leaked.deliver(body, leaked.sign(body)).status,
        lambda status: status == 400,
        15.0,
        interval=1.0,
    )
    new = Endpoint(case.registered["url"], response.json["signing_secret"])
    assert new.deliver(body, new.sign(body)).status == 200


def test_a_rotation_that_is_given_up_leaves_the_secret_of_before(case: EndpointCase) -> None:
    rotated = case.stack.admin_call("POST", f"/endpoints/{case.name}/rotate")
    assert rotated.status == 200, rotated.text
    response = case.stack.admin_call("DELETE", f"/endpoints/{case.name}/rotate")
    assert response.status == 200 and response.json["state"] == "active", response.text
    assert response.json["stripe_id"] == case.registered["stripe_id"]
    old = Endpoint(case.registered["url"], case.registered["signing_secret"])
    body = event()
    client.poll(
        lambda: old.deliver(body, old.sign(body)).status, lambda status: status == 200, 15.0, interval=1.0
    )
