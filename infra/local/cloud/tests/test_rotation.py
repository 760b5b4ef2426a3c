"""A signing secret is changed under steady deliveries, and none is refused or lost, whichever secret signed it."""

import itertools
import json
import threading
import time
from collections.abc import Iterator

import pytest
from delivering import Endpoint, event
from localcloud import client
from localcloud.stack import Stack
from localcloud.surroundings import ROOT
from test_troubles import Case

_numbers = itertools.count(1)


@pytest.fixture
def case(stack: Stack) -> Iterator[Case]:
    """An endpoint of its own."""
    made = Case(stack, f"rotating-{next(_numbers)}")
    made.register()
    yield made
    made.deregister()


class Deliveries:
    """Deliveries one after the other, each signed with the next of the secrets that Stripe may use."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.secrets = url, [secret]
        self.answers: list[tuple[str, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            endpoint = Endpoint(self.url, self.secrets[number % len(self.secrets)])
            body = event()
            self.answers.append((json.loads(body)["id"], endpoint.deliver(body, endpoint.sign(body)).status))

    def __enter__(self) -> "Deliveries":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def end_of_rotation(case: Case) -> None:
    """As if reconciliation had compared all of before, some minutes later."""
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
        answer = case.stack.aws("lambda").invoke(FunctionName=case.stack.functions["register"], Payload=schedule)
        rotated = json.loads(answer["Payload"].read())["rotated"]
    assert case.name in rotated


def test_no_delivery_is_refused_or_lost_while_the_secret_is_changed(case: Case) -> None:
    with Deliveries(case.made["url"], case.made["signing_secret"]) as deliveries:
        answer = case.stack.admin_call("POST", f"/endpoints/{case.name}/rotate")
        assert answer.status == 200 and answer.json["state"] == "rotating", answer.text
        at_stripe = [one["secret"] for one in case.control("GET", "/endpoints").json if one["metadata"].get("billhook_name") == case.name]
        assert set(at_stripe) == {case.made["signing_secret"], answer.json["signing_secret"]}
        deliveries.secrets = at_stripe
        client.until(lambda: len(deliveries.answers), lambda sent: sent > 60, 60.0)
        # From here on Stripe sends by the second alone.
        deliveries.secrets = [answer.json["signing_secret"]]
        end_of_rotation(case)
        ended = len(deliveries.answers)
        client.until(lambda: len(deliveries.answers), lambda sent: sent > ended + 20, 60.0)
    assert {status for _, status in deliveries.answers} == {200}
    for event_id, _ in deliveries.answers:
        assert case.stack.admin_call("GET", f"/events/{event_id}").status == 200
    shown = case.stack.admin_call("GET", f"/endpoints/{case.name}").json
    assert (shown["state"], shown["signing_secret_hint"]) == ("active", answer.json["signing_secret"][-4:])
    left = [one["id"] for one in case.control("GET", "/endpoints").json if one["metadata"].get("billhook_name") == case.name]
    assert left == [shown["stripe_id"]]
    # The secret of before opens nothing any more, ten seconds later at the latest.
    old = Endpoint(case.made["url"], case.made["signing_secret"])
    body = event()
    client.until(lambda: old.deliver(body, old.sign(body)).status, lambda status: status == 400, 15.0, pause=1.0)
