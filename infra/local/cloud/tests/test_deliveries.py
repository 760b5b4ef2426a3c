"""What is delivered is stored once and applied once, through the whole chain as deployed."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localcloud import client
from localcloud.settings import ROOT
from localcloud.stack import Stack
from signed_deliveries import Endpoint, event

SAMPLES = sorted((ROOT / "events" / "stripe").glob("*.json"))
FINAL = {"processed", "superseded", "ignored"}
# The doorbell rings within a second; what it missed waits for the sweep, and its two minutes' grace.
APPLIED_S = 240.0


def renamed(text: str, run: str) -> str:
    """Returns a sample with ids of its own, so that tests do not share events and objects."""
    return (
        text.replace("evt_1Syn", f"evt_{run}")
        .replace("_1Syn", f"_1{run}")
        .replace("_3Syn", f"_3{run}")
        .replace("cus_Syn", f"cus_{run}")
    )


def final(stack: Stack, ids: list[str]) -> dict[str, str]:
    """Waits until all of them are final, and gives their states."""

    def states() -> dict[str, str]:
        seen = {}
        for event_id in ids:
            response = stack.admin_call("GET", f"/events/{event_id}")
            seen[event_id] = response.json["state"] if response.status == 200 else str(response.status)
        return seen

    return client.poll(states, lambda seen: set(seen.values()) <= FINAL, APPLIED_S, interval=1.0)


def test_every_sample_is_stored_and_applied_and_none_fails(stack: Stack, endpoint: Endpoint) -> None:
    run = f"All{time.time_ns() % 10**9}"
    bodies = [renamed(path.read_text(), run) for path in SAMPLES]
    assert len(bodies) > 100
    for body in bodies:
        response = endpoint.deliver(body, endpoint.sign(body))
        assert (response.status, response.json["outcome"]) == (200, "stored"), response.text
    states = final(stack, [json.loads(body)["id"] for body in bodies])
    assert "processed" in states.values()
    status = stack.admin_call("GET", "/status").json
    assert status["counts"] == {"pending": 0, "failed": 0, "dead": 0, "quarantined": 0} | {
        "quarantined": status["counts"]["quarantined"]
    }
    # The samples tell one story: the customer was deleted last, the payment was refunded and disputed.
    assert stack.admin_call("GET", f"/records/customers/cus_{run}Customer0001").json["deleted"] is True
    payment = stack.admin_call("GET", f"/records/payments/pi_3{run}PaymentIntent000001").json
    assert payment["amount_refunded"] == 2000 and len(payment["charges"]) == 1


def test_sent_from_many_connections_at_once_and_again_it_is_one_row_and_one_change(
    stack: Stack, endpoint: Endpoint
) -> None:
    run = f"Many{time.time_ns() % 10**9}"
    body = renamed((ROOT / "events" / "stripe" / "customer.subscription.created.json").read_text(), run)
    sent: dict[str, Any] = json.loads(body)
    with ThreadPoolExecutor(12) as pool:
        responses = list(pool.map(lambda _: endpoint.deliver(body, endpoint.sign(body)), range(36)))
    assert {response.status for response in responses} == {200}
    assert {response.json["event"] for response in responses} == {sent["id"]}
    final(stack, [sent["id"]])
    path = f"/records/subscriptions/{sent['data']['object']['id']}"
    before = stack.admin_call("GET", path).json
    assert [row["id"] for row in before["timeline"]] == [sent["id"]]
    assert before["object"] == sent["data"]["object"]
    again = endpoint.deliver(body, endpoint.sign(body))
    assert (again.status, again.json["outcome"]) == (200, "duplicate")
    assert stack.admin_call("GET", path).json == before


def test_a_name_can_be_registered_removed_and_registered_again(stack: Stack) -> None:
    secrets: list[str] = []
    for _ in range(2):
        assert stack.call("POST", "/webhooks/again", None, {}).code == "endpoint_unknown" or secrets
        made = stack.admin_call("POST", "/endpoints", {"name": "again"})
        assert made.status == 201, made.text
        secrets.append(made.json["signing_secret"])
        # Though the function has just looked in vain, the first delivery after the response is let in.
        endpoint = Endpoint(f"{stack.api_url}/webhooks/again", secrets[-1])
        body = event()
        assert endpoint.deliver(body, endpoint.sign(body)).status == 200
        gone = stack.admin_call("DELETE", "/endpoints/again?confirm=again")
        assert gone.status == 204, gone.text
        assert stack.admin_call("GET", "/endpoints/again").status == 404
    assert secrets[0] != secrets[1]
    names = stack.aws("secretsmanager").list_secrets(
        Filters=[{"Key": "name", "Values": [f"{stack.stack_name}/endpoints/again"]}]
    )
    assert names["SecretList"] == []
    actions = [entry["action"] for entry in stack.admin_call("GET", "/audit").json["data"]]
    assert actions.count("endpoint.register") >= 2 and actions.count("endpoint.deregister") >= 2


def test_a_removed_endpoint_is_unknown_ten_seconds_later(stack: Stack) -> None:
    made = stack.admin_call("POST", "/endpoints", {"name": "short-lived"}).json
    removed = Endpoint(f"{stack.api_url}/webhooks/short-lived", made["signing_secret"])
    body = '{"id":"evt_late"}'
    client.poll(lambda: removed.deliver(body, removed.sign(body)).status, lambda status: status == 200, 15.0)
    assert stack.admin_call("DELETE", "/endpoints/short-lived?confirm=short-lived").status == 204
    response = client.poll(
        lambda: removed.deliver(body, removed.sign(body)),
        lambda response: response.status == 404,
        12.0,
        interval=1.0,
    )
    assert response.code == "endpoint_unknown"
