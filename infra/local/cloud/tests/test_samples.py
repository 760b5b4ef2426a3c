"""Each sample in `events/` can be handed to its function as it is, and is answered as stated here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.settings import ROOT
from localcloud.stack import FUNCTIONS, Stack
from signed_deliveries import Endpoint

# What each is answered on a stack with a key and the endpoint `main`, in this order; none where there is no
# HTTP response.
EXPECTED = {
    "receive/unsigned": 400,
    "process/doorbell": None,
    "process/sweep": None,
    "register/settings": 200,
    # The stack's simulated Stripe knows another key than the sample's.
    "register/set-stripe-key": 400,
    "register/change-settings": 200,
    "register/register-endpoint": 201,
    "register/list-endpoints": 200,
    "register/change-endpoint": 200,
    "register/repair-endpoint": 200,
    "register/rotate-endpoint": 200,
    "register/show-secret": 200,
    "register/test-endpoint": 200,
    "register/deregister-endpoint": 204,
    "register/schedule": None,
    "status/status": 200,
    "records/audit": 200,
    "records/event": 404,
    "records/events": 200,
    "records/payment": 404,
    "records/payments": 200,
    "reconcile/schedule": None,
    "reconcile/reconcile": 200,
    "import/schedule": None,
    # Before one is started; the schedule would end it at a time that nobody knows.
    "import/stop-import": 409,
    "import/start-import": 202,
    "import/import": 200,
    "erase/schedule": None,
    "erase/start-erasure": 404,
    "erase/erasures": 200,
    "erase/erasure": 404,
    "replay/count-dead": 200,
    "replay/discard-event": 404,
    "replay/replay-dead": 200,
    "replay/replay-event": 404,
    "console/page": 200,
    "console/config": 200,
}


@pytest.fixture(scope="module", autouse=True)
def nothing_registered_afterwards(stack: Stack, endpoint: Endpoint) -> Iterator[None]:
    """Deregisters what the samples register: one removes it again, but each can be run alone."""
    yield
    stack.admin_call("DELETE", "/endpoints/sample?confirm=sample")


def test_each_sample_is_stated_here() -> None:
    samples = {
        f"{path.parent.name}/{path.stem}"
        for name in FUNCTIONS
        for path in (ROOT / "events" / name).glob("*.json")
    }
    assert samples == set(EXPECTED)


@pytest.mark.parametrize("sample", EXPECTED)
def test_a_sample_is_answered_as_stated(stack: Stack, sample: str) -> None:
    function = sample.split("/")[0]
    event = (ROOT / "events" / f"{sample}.json").read_bytes()
    response = stack.aws("lambda").invoke(FunctionName=stack.functions[function], Payload=event)
    payload: Any = json.loads(response["Payload"].read() or "null")
    assert "FunctionError" not in response, payload
    status = payload.get("statusCode") if isinstance(payload, dict) else None
    assert status == EXPECTED[sample], payload
