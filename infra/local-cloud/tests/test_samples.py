"""Each sample in `events/` can be handed to its function as it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcloud.stack import FUNCTIONS, Stack
from localcloud.surroundings import ROOT

SAMPLES = [path for name in FUNCTIONS for path in sorted((ROOT / "events" / name).glob("*.json"))]


@pytest.fixture(scope="module", autouse=True)
def nothing_registered_afterwards(stack: Stack) -> Iterator[None]:
    """One of the samples registers an endpoint."""
    yield
    stack.admin_call("DELETE", "/endpoints/main?confirm=main")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_is_taken(stack: Stack, sample: Path) -> None:
    answer = stack.aws("lambda").invoke(FunctionName=stack.functions[sample.parent.name], Payload=sample.read_bytes())
    payload = json.loads(answer["Payload"].read() or "null")
    assert "FunctionError" not in answer, payload
    if isinstance(payload, dict) and "statusCode" in payload:
        assert payload["statusCode"] < 500, payload
