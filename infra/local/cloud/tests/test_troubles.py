"""Each trouble is made to happen on the stack as deployed: the status names it and no other, and is well again once its remedy was
followed."""

import itertools
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from delivering import Endpoint, event
from localcloud import client
from localcloud.client import Answer
from localcloud.stack import Stack
from localcloud.surroundings import ROOT, free_port

_numbers = itertools.count(1)

# A process looks at the endpoints again within ten seconds; a reconciliation of the schedule may run meanwhile.
SOON_S = 60.0


@dataclass
class Case:
    """A stack with one endpoint in it, and ways to do it harm."""

    stack: Stack
    name: str
    url: str | None = None
    made: dict[str, Any] = field(default_factory=dict)

    def register(self) -> None:
        """As an admin does."""
        answer = self.stack.admin_call("POST", "/endpoints", {"name": self.name} | ({"url": self.url} if self.url else {}))
        assert answer.status == 201, answer.text
        self.made = answer.json

    def deregister(self) -> None:
        answer = self.stack.admin_call("DELETE", f"/endpoints/{self.name}?confirm={self.name}")
        assert answer.status in {204, 404}, answer.text

    def register_anew(self) -> None:
        """The remedy of many checks."""
        self.deregister()
        self.register()

    def set_row(self, **values: int) -> None:
        """Writes into the endpoint's row, past the program."""
        names = {f"#{name}": name for name in values}
        self.stack.aws("dynamodb").update_item(
            TableName=self.stack.tables["registry"],
            Key={"kind": {"S": "endpoint"}, "name": {"S": self.name}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in values.items()},
        )

    def control(self, method: str, path: str, body: Any = None) -> Answer:
        """Tells the simulated Stripe what to do."""
        answer = client.call(method, self.stack.stripe_control_url + path, None, body)
        assert answer.status // 100 == 2, answer.text
        return answer

    def change_at_stripe(self, **changes: Any) -> None:
        self.control("PATCH", f"/endpoints/{self.made['stripe_id']}", changes)

    def miss(self, fate: str = "delivered") -> str:
        """An event of ten minutes ago that Stripe tries to deliver now, or does not. Gives its id once it was tried.

        The endpoint is as if registered an hour ago: events of the last minutes are not compared.
        """
        hour_ago = int((time.time() - 3600) * 1000)
        self.set_row(created_at=hour_ago, state_since=hour_ago, listens_since=hour_ago)
        made = self.control("POST", "/events", {"type": "customer.updated", "created": int(time.time()) - 600, "fate": fate})
        event_id = str(made.json["id"])
        if fate == "delivered":
            client.until(lambda: self.tried(event_id), bool, SOON_S)
        return event_id

    def tried(self, event_id: str) -> list[Any]:
        attempts = self.control("GET", "/deliveries").json
        return [attempt for attempt in attempts if attempt["event"] == event_id and attempt["endpoint"] == self.made["stripe_id"]]

    def reconcile(self) -> Any:
        answer = client.until(
            lambda: self.stack.admin_call("POST", "/reconcile", {}), lambda answer: answer.code != "reconcile_running", SOON_S
        )
        assert answer.status == 200, answer.text
        return answer.json

    def look(self) -> tuple[str, set[str]]:
        """The stack's one word, and the checks that fail anywhere."""
        answer = self.stack.admin_call("GET", "/status?live=true")
        assert answer.status == 200, answer.text
        endpoints = answer.json["endpoints"]
        checks = answer.json["checks"] + [check for endpoint in endpoints for check in endpoint["checks"]]
        for check in checks:
            assert check["ok"] or check["remedy"], check
        # An error of the endpoint is one of the stack.
        assert answer.json["status"] == "error" or all(endpoint["status"] != "error" for endpoint in endpoints)
        return (answer.json["status"], {check["code"] for check in checks if not check["ok"]})

    def summary(self, code: str) -> str:
        checks = self.stack.admin_call("GET", "/status?live=true").json
        found = [check for endpoint in checks["endpoints"] if endpoint["name"] == self.name for check in endpoint["checks"]]
        return next(str(check["summary"]) for check in found if check["code"] == code)


class Proxy:
    """What stands between Stripe and the stack: passes requests on, and can write their bodies anew."""

    def __init__(self, target: str) -> None:
        self.rewrites = False
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self) -> None:
                """Passes it on."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if proxy.rewrites:
                    body = json.dumps(json.loads(body)).encode()
                headers = {name: self.headers[name] for name in ("Content-Type", "Stripe-Signature")}
                answer = client.send("POST", target + self.path, body, headers)
                self.send_response(answer.status)
                self.end_headers()
                self.wfile.write(answer.text.encode())

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def broken(stack: Stack, function: str, variable: str) -> Iterator[Callable[[], None]]:
    """The function with a variable that is wrong, until it is mended."""
    lambdas, name = stack.aws("lambda"), stack.functions[function]
    right = lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def set_to(variables: dict[str, str]) -> None:
        lambdas.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    set_to(right | {variable: "no-such-table"})
    try:
        yield lambda: set_to(right)
    finally:
        set_to(right)


@pytest.fixture(scope="module", autouse=True)
def nothing_set_aside(stack: Stack) -> None:
    """Other tests leave events that nobody can apply."""
    answer = stack.admin_call("POST", "/events/discard", {"state": "quarantined", "why": "of another test"})
    assert answer.status == 200, answer.text


@pytest.fixture
def case(stack: Stack) -> Iterator[Case]:
    """An endpoint of its own for each trouble: what a process has noted of another cannot get in the way."""
    made = Case(stack, f"trouble-{next(_numbers)}")
    yield made
    made.control("DELETE", "/faults")
    made.control("PUT", "/keys", [{"secret": stack.stripe_api_key}])
    made.control("POST", "/clock", {"date_skew": 0})
    made.deregister()


Trouble = Callable[[Case], None]


def answering_500(method: str) -> dict[str, Any]:
    """Stripe answers 500 to each of these calls about endpoints."""
    return {"method": method, "path": "/v1/webhook_endpoints", "effect": {"answer": {"status": 500}}, "times": 99}


def disable(case: Case) -> None:
    case.change_at_stripe(disabled=True)
    case.miss("listed")
    assert case.reconcile()["filled"] >= 1


def repair(case: Case) -> None:
    """The remedy of most checks."""
    answer = case.stack.admin_call("POST", f"/endpoints/{case.name}/repair")
    assert answer.status == 200, answer.text


def delete(case: Case) -> None:
    case.control("DELETE", f"/endpoints/{case.made['stripe_id']}")


def fewer_events(case: Case) -> None:
    case.change_at_stripe(enabled_events=["invoice.paid"])


def elsewhere(case: Case) -> None:
    case.change_at_stripe(url="https://example.com/hooks")


def other_version(case: Case) -> None:
    case.change_at_stripe(api_version="2020-08-27")


def lose_secret(case: Case) -> None:
    secrets = case.stack.aws("secretsmanager")
    listed = secrets.list_secrets(MaxResults=100)["SecretList"]
    name = next(secret["Name"] for secret in listed if f"/endpoints/{case.name}/" in secret["Name"])
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def revoke_key(case: Case) -> None:
    case.control("PUT", "/keys", [])


def give_key_back(case: Case) -> None:
    case.control("PUT", "/keys", [{"secret": case.stack.stripe_api_key}])
    case.reconcile()


def take_events_away(case: Case) -> None:
    case.control("PUT", "/keys", [{"secret": case.stack.stripe_api_key, "rights": ["webhook_endpoints:write"]}])
    case.reconcile()


def take_endpoints_away(case: Case) -> None:
    case.control("PUT", "/keys", [{"secret": case.stack.stripe_api_key, "rights": ["events:read"]}])


def stop_reconciling(case: Case) -> None:
    """As if the last one was a while ago, and the key is old."""
    past = {":past": {"N": str(int((time.time() - 1200) * 1000))}}
    for kind, field in (("facts", "at"), ("settings", "since")):
        case.stack.aws("dynamodb").update_item(
            TableName=case.stack.tables["registry"], Key={"kind": {"S": kind}, "name": {"S": "stack"}},
            UpdateExpression="SET #field = :past", ExpressionAttributeNames={"#field": field}, ExpressionAttributeValues=past,
        )


def reconcile(case: Case) -> None:
    case.reconcile()


def shift_clock(case: Case) -> None:
    case.control("POST", "/clock", {"date_skew": -400})


def set_clock(case: Case) -> None:
    case.control("POST", "/clock", {"date_skew": 0})


def stripe_fails(case: Case) -> None:
    case.control("POST", "/faults", answering_500("GET"))


def stripe_recovers(case: Case) -> None:
    case.control("DELETE", "/faults")


def stranger(case: Case) -> None:
    form = urllib.parse.urlencode({"url": f"{case.stack.api_url}/webhooks/{case.name}", "enabled_events[0]": "invoice.paid"})
    headers = {"Authorization": f"Bearer {case.stack.stripe_api_key}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = client.send("POST", f"{case.stack.stripe_api_base}/v1/webhook_endpoints", form.encode(), headers)
    assert answer.status == 200, answer.text
    case.made["stranger"] = answer.json["id"]


def no_stranger(case: Case) -> None:
    case.control("DELETE", f"/endpoints/{case.made['stranger']}")


def other_mode(case: Case) -> None:
    endpoint = Endpoint(case.made["url"], case.made["signing_secret"])
    body = event(livemode=True)
    assert endpoint.deliver(body, endpoint.sign(body)).status == 200
    case.made["event"] = json.loads(body)["id"]
    client.until(lambda: case.stack.admin_call("GET", f"/events/{case.made['event']}").json["state"], lambda state: state == "quarantined", 240.0)


def discard(case: Case) -> None:
    answer = case.stack.admin_call("POST", f"/events/{case.made['event']}/discard", {"why": "sent by a test"})
    assert answer.status == 200, answer.text


def other_secret(case: Case) -> None:
    case.change_at_stripe(secret="whsec_rolled_in_the_dashboard")
    case.miss()
    case.reconcile()
    assert "another secret" in case.summary("signatures_match")


TROUBLES: list[tuple[Trouble, set[str], Trouble]] = [
    (disable, {"enabled_at_stripe"}, repair),
    (delete, {"at_stripe"}, repair),
    (fewer_events, {"events_as_wanted"}, repair),
    (elsewhere, {"url_as_wanted"}, repair),
    (other_version, {"api_version_as_wanted"}, Case.register_anew),
    (lose_secret, {"secret_present"}, repair),
    (revoke_key, {"stripe_key_accepted", "at_stripe"}, give_key_back),
    (take_events_away, {"events_readable"}, give_key_back),
    (take_endpoints_away, {"stripe_key_rights", "at_stripe"}, give_key_back),
    (stop_reconciling, {"reconciled_lately"}, reconcile),
    (shift_clock, {"clock"}, set_clock),
    (stripe_fails, {"stripe_answers", "at_stripe"}, stripe_recovers),
    (stranger, {"strangers_at_stripe"}, no_stranger),
    (other_mode, {"events_quarantined"}, discard),
    (other_secret, {"deliveries_arrive", "signatures_match"}, Case.register_anew),
]


@pytest.mark.parametrize(("make", "expected", "mend"), TROUBLES, ids=[trouble[0].__name__ for trouble in TROUBLES])
def test_a_trouble_is_named_and_gone_when_its_remedy_was_followed(
    case: Case, make: Trouble, expected: set[str], mend: Trouble
) -> None:
    case.register()
    case.reconcile()
    condition, before = case.look()
    assert condition == "active"
    make(case)
    condition, failing = case.look()
    assert failing - before == expected
    warned = {"strangers_at_stripe", "events_quarantined"}
    assert condition == ("active" if expected <= warned else "error")
    mend(case)
    assert case.look() == ("active", before)


def test_a_proxy_that_writes_bodies_anew_is_told_from_a_wrong_secret(case: Case) -> None:
    proxy = Proxy(case.stack.api_url)
    try:
        case.url = f"{proxy.url}/webhooks/{case.name}"
        case.register()
        case.reconcile()
        _, before = case.look()
        proxy.rewrites = True
        missed = case.miss()
        assert case.reconcile()["filled"] >= 1
        condition, failing = case.look()
        assert (condition, failing - before) == ("error", {"deliveries_arrive", "signatures_match"})
        assert "a request of ours was" in case.summary("signatures_match")
        assert steps_of(case)["body_unchanged"] is False
        proxy.rewrites = False
        assert set(steps_of(case).values()) == {True}
        case.control("POST", f"/events/{missed}/resend", {"endpoint": case.made["stripe_id"]})
        assert client.until(case.look, lambda seen: seen[0] == "active", SOON_S) == ("active", before)
    finally:
        proxy.server.shutdown()


def steps_of(case: Case) -> dict[str, bool | None]:
    """The steps of a test of the endpoint."""
    answer = case.stack.admin_call("POST", f"/endpoints/{case.name}/test")
    assert answer.status == 200, answer.text
    return {step["step"]: step["ok"] for step in answer.json["steps"]}


def test_an_address_where_nothing_answers_is_told(case: Case) -> None:
    case.url = f"http://127.0.0.1:{free_port()}/webhooks/{case.name}"
    case.register()
    case.reconcile()
    _, before = case.look()
    case.miss("listed")
    case.reconcile()
    condition, failing = case.look()
    assert (condition, failing - before) == ("error", {"deliveries_arrive", "probe_arrives"})
    assert (steps_of(case)["name"], steps_of(case)["connection"], steps_of(case)["stored"]) == (True, False, None)
    case.url = None
    case.register_anew()
    assert case.look() == ("active", before)


def test_a_process_function_that_is_dead_is_told_by_its_backlog(case: Case) -> None:
    case.register()
    case.reconcile()
    _, before = case.look()
    endpoint = Endpoint(case.made["url"], case.made["signing_secret"])
    with broken(case.stack, "process", "LEDGER_TABLE") as mend:
        body = event()
        event_id = json.loads(body)["id"]
        assert endpoint.deliver(body, endpoint.sign(body)).status == 200
        # As if minutes had passed.
        key = {"id": {"S": event_id}, "part": {"N": "0"}}
        case.stack.aws("dynamodb").update_item(
            TableName=case.stack.tables["ledger"], Key=key, UpdateExpression="SET due_at = :past",
            ExpressionAttributeValues={":past": {"N": str(int((time.time() - 300) * 1000))}},
        )
        condition, failing = case.look()
        assert (condition, failing - before) == ("error", {"backlog"})
        mend()
    sweep = (ROOT / "events" / "process" / "sweep.json").read_bytes()
    case.stack.aws("lambda").invoke(FunctionName=case.stack.functions["process"], Payload=sweep)
    client.until(case.look, lambda seen: seen == ("active", before), 240.0, pause=2.0)


def test_events_that_fail_for_long_are_told_with_the_reason(case: Case) -> None:
    case.register()
    case.reconcile()
    _, before = case.look()
    endpoint = Endpoint(case.made["url"], case.made["signing_secret"])
    body = event()
    event_id = json.loads(body)["id"]
    with broken(case.stack, "process", "RECORDS_TABLE") as mend:
        assert endpoint.deliver(body, endpoint.sign(body)).status == 200
        failed = client.until(
            lambda: case.stack.admin_call("GET", f"/events/{event_id}").json, lambda seen: seen["state"] in {"failed", "dead"}, 240.0
        )
        if failed["state"] == "failed":
            assert case.look() == ("active", before), "it is tried again by itself"
            case.stack.aws("dynamodb").update_item(
                TableName=case.stack.tables["ledger"], Key={"id": {"S": event_id}, "part": {"N": "0"}},
                UpdateExpression="SET received_at = :past",
                ExpressionAttributeValues={":past": {"N": str(int((time.time() - 700) * 1000))}},
            )
        condition, failing = case.look()
        assert (condition, failing - before) == ("error", {"events_failed"})
        mend()
    assert case.stack.admin_call("POST", f"/events/{event_id}/replay", {"why": "mended"}).status == 200
    client.until(case.look, lambda seen: seen == ("active", before), 240.0, pause=2.0)


def test_a_receive_function_that_cannot_store_is_told(case: Case) -> None:
    case.register()
    case.reconcile()
    _, before = case.look()
    with broken(case.stack, "receive", "LEDGER_TABLE") as mend:
        missed = case.miss()
        assert case.tried(missed)[0]["status"] == 503
        assert case.reconcile()["filled"] >= 1
        condition, failing = case.look()
        assert (condition, failing - before) == ("error", {"deliveries_arrive", "probe_arrives"})
        mend()
    case.control("POST", f"/events/{missed}/resend", {"endpoint": case.made["stripe_id"]})
    client.until(case.look, lambda seen: seen == ("active", before), SOON_S)


def test_a_registration_that_was_cut_off_is_told_and_finished_by_the_schedule(case: Case) -> None:
    case.control("POST", "/faults", answering_500("POST"))
    assert case.stack.admin_call("POST", "/endpoints", {"name": case.name}).status == 503
    case.control("DELETE", "/faults")
    case.set_row(state_since=int((time.time() - 120) * 1000))
    condition, failing = case.look()
    assert condition == "error" and "registered_whole" in failing
    schedule = (ROOT / "events" / "register" / "schedule.json").read_bytes()
    answer = case.stack.aws("lambda").invoke(FunctionName=case.stack.functions["register"], Payload=schedule)
    assert case.name in json.loads(answer["Payload"].read())["registered"]
    assert case.look()[0] == "active"
    audit = case.stack.admin_call("GET", "/audit").json["data"][0]
    assert (audit["action"], audit["target"], audit["subject"]) == ("endpoint.register", case.name, "schedule")


def test_bad_requests_of_strangers_leave_the_status_as_it_was(case: Case) -> None:
    case.register()
    case.reconcile()
    before = case.look()
    assert before[0] == "active"
    endpoint = Endpoint(case.made["url"], "whsec_guessed")
    for number in range(200):
        body = event()
        header = [None, "t=1", endpoint.sign(body), endpoint.sign(body, at=1)][number % 4]
        assert endpoint.deliver(body, header).status == 400
    case.reconcile()
    assert case.look() == before
