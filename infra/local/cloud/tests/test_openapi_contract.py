"""The API's description is valid, whole and true to its own examples, and what is not as it says is noticed.

These tests need no stack.
"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from localcloud import client
from localcloud.client import Response
from openapi_contract import Contract, ContractError, every_response_checked, raise_broken

CONTRACT = Contract.read()
EVENT = "evt_1SampleInvoicePaid"


def example(pointer: str) -> Any:
    """A deep copy of an example's value."""
    return json.loads(json.dumps(CONTRACT.at(f"{pointer}/value")))


def json_response(body: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(body))


def nodes(value: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object inside a value of the document, with the JSON pointer to it."""
    if isinstance(value, dict):
        yield pointer, value
        for key, inner in value.items():
            if key not in ("examples", "example", "default"):
                yield from nodes(inner, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from nodes(inner, f"{pointer}/{number}")


def responses_with_examples() -> Iterator[tuple[str, str, int, Any]]:
    """Every example of a response: method, path, status, body."""
    for method, path, operation in CONTRACT.operations():
        for status, response in operation["responses"].items():
            if "$ref" in response:
                response = CONTRACT.at(response["$ref"].removeprefix("#"))
            for one in response.get("content", {}).get("application/json", {}).get("examples", {}).values():
                body = CONTRACT.at(one["$ref"].removeprefix("#"))["value"] if "$ref" in one else one["value"]
                yield method, path, int(status), body


def test_the_document_is_valid_openapi_3_1() -> None:
    assert CONTRACT.document["openapi"].startswith("3.1.")
    validate(CONTRACT.document, cls=OpenAPIV31SpecValidator)


def test_each_example_of_a_request_or_response_fits_its_schema() -> None:
    seen = 0
    for pointer, node in nodes(CONTRACT.document):
        if "schema" not in node or "examples" not in node:
            continue
        for name, one in node["examples"].items():
            value = CONTRACT.at(one["$ref"].removeprefix("#"))["value"] if "$ref" in one else one["value"]
            assert CONTRACT.misfit(f"{pointer}/schema", value) is None, f"{pointer}: {name}"
            seen += 1
    assert seen > 30


def test_each_operation_says_what_it_does_and_what_success_is() -> None:
    operations = list(CONTRACT.operations())
    assert len(operations) > 20
    for method, path, operation in operations:
        # Who opens an endpoint's address in a browser is told what it is, by a refusal.
        only_refuses = (method, path) == ("GET", "/webhooks/{endpoint}")
        succeeds = any(status.startswith("2") for status in operation["responses"])
        assert succeeds != only_refuses, f"{method} {path}"
        assert operation["summary"].endswith("."), f"{method} {path}"


def test_each_object_says_whether_it_has_other_fields() -> None:
    for pointer, node in nodes(CONTRACT.document["components"]["schemas"]):
        is_object = "object" in node.get("type", "") and isinstance(node.get("type"), str | list)
        name = pointer.split("/")[1] if pointer else ""
        if is_object and not (name.endswith("Fields") and pointer.count("/") == 1):
            assert "additionalProperties" in node, pointer


def test_each_field_is_described() -> None:
    for pointer, node in nodes(CONTRACT.document["components"]["schemas"]):
        for name, field in node.get("properties", {}).items():
            # A check's evidence by code narrows a field that is described already.
            narrows = "/allOf/" in pointer
            assert narrows or "description" in field or "$ref" in field, f"{pointer}: {name}"


def test_the_evidence_of_each_check_is_described() -> None:
    schemas = CONTRACT.document["components"]["schemas"]
    described: list[str] = []
    for rule in schemas["Check"]["allOf"]:
        code = rule["if"]["properties"]["code"]
        described += code.get("enum", [code.get("const")])
    assert sorted(described) == sorted(code["const"] for code in schemas["CheckCode"]["oneOf"])


def test_each_example_of_a_response_passes_for_its_operation() -> None:
    checked = 0
    for method, path, status, body in responses_with_examples():
        CONTRACT.check(method, path, json_response(body, status))
        checked += 1
    assert checked > 25


def test_a_field_that_is_not_documented_fails_whatever_the_response() -> None:
    for method, path, status, body in responses_with_examples():
        with pytest.raises(ContractError):
            CONTRACT.check(method, path, json_response({**body, "surprise": 1}, status))


def test_a_field_that_is_missing_fails_whatever_the_response() -> None:
    for method, path, status, body in responses_with_examples():
        for name in body:
            # The only ones that can be absent.
            if name != "rotation":
                less = {key: value for key, value in body.items() if key != name}
                with pytest.raises(ContractError):
                    CONTRACT.check(method, path, json_response(less, status))


def test_a_query_is_no_part_of_the_path_and_the_more_exact_path_counts() -> None:
    page: dict[str, Any] = {"data": [], "next_cursor": None}
    CONTRACT.check("GET", "/events?state=dead&limit=1", json_response(page))
    outcome = example("/components/responses/BulkOutcome/content/application~1json/examples/done")
    CONTRACT.check("POST", "/events/replay", json_response(outcome))
    with pytest.raises(ContractError, match="next_cursor"):
        CONTRACT.check("POST", "/events/replay", json_response({**outcome, "next_cursor": 7}))


def test_removing_is_answered_without_a_body() -> None:
    CONTRACT.check("DELETE", "/endpoints/main?confirm=main", Response(204, ""))
    with pytest.raises(ContractError, match="has a body"):
        CONTRACT.check("DELETE", "/endpoints/main?confirm=main", Response(204, "{}"))


def test_what_is_no_route_is_answered_as_such_and_nothing_else() -> None:
    CONTRACT.check("GET", "/nothing", json_response({"message": "Not Found"}, 404))
    not_allowed = {"error": {"code": "method_not_allowed", "message": "m", "remedy": "r", "request_id": "i"}}
    CONTRACT.check("PUT", "/endpoints/main", json_response(not_allowed, 405))
    for method, path in [("GET", "/nothing"), ("PUT", "/endpoints/main"), ("POST", "/status")]:
        with pytest.raises(ContractError, match="200 is not documented"):
            CONTRACT.check(method, path, json_response({}))


def error(code: str, **more: Any) -> dict[str, Any]:
    """An error in Billhook's form."""
    return {"error": {"code": code, "message": "m", "request_id": "i", **more}}


def check_of(code: str, evidence: Any) -> dict[str, Any]:
    """A status with one check."""
    status: dict[str, Any] = example(
        "/paths/~1status/get/responses/200/content/application~1json/examples/inactive"
    )
    status["checks"][0] |= {"code": code, "evidence": evidence}
    return status


def event(**changes: Any) -> dict[str, Any]:
    """An event as a list shows it."""
    page = example("/paths/~1events/get/responses/200/content/application~1json/examples/dead")
    return {"data": [page["data"][0] | changes], "next_cursor": None}


def receipt(**changes: Any) -> dict[str, Any]:
    """What a delivery is answered."""
    return {"received": True, "event": EVENT, "outcome": "stored", **changes}


FITTING = [
    ("POST", "/webhooks/main", 200, receipt()),
    ("POST", "/webhooks/main", 400, error("signature_mismatch")),
    ("POST", "/webhooks/main", 413, {"message": "Request Entity Too Large"}),
    ("GET", "/status", 200, check_of("clock", dict.fromkeys(
        ["seconds_ahead_of_stripe", "seconds_ahead_of_signatures", "seconds_ahead_of_refused_signatures"]))),
    ("GET", "/status", 200, check_of("stripe_key_present", None)),
    ("GET", "/status", 401, {"message": "Unauthorized"}),
    ("GET", "/events", 200, event()),
    ("POST", "/import", 409, error("import_running", remedy="wait")),
]  # fmt: skip

BREAKING = [
    # A status that the operation does not have.
    ("GET", "/status", 404, error("not_found")),
    ("POST", "/endpoints", 200, {}),
    # A code that this status of this operation does not have, and one that does not exist.
    ("POST", "/webhooks/main", 400, error("parameter_invalid")),
    ("GET", "/status", 503, error("stripe_no_answer")),
    ("POST", "/import", 409, error("reconcile_running")),
    ("GET", "/status", 400, error("wrong")),
    # An error without its parts, or with another.
    ("GET", "/status", 403, {"error": {"code": "forbidden", "message": "m"}}),
    ("GET", "/status", 403, error("forbidden", reason="x")),
    ("GET", "/status", 403, {"message": "Forbidden"}),
    # A word that is no value of an enumeration.
    ("POST", "/webhooks/main", 200, receipt(outcome="kept")),
    ("GET", "/events", 200, event(state="done")),
    ("GET", "/status", 200, check_of("weather", {})),
    # A value of another type.
    ("POST", "/webhooks/main", 200, receipt(received="yes")),
    ("GET", "/events", 200, event(attempts="12")),
    ("GET", "/events", 200, event(received_at=1795521600)),
    ("GET", "/events", 200, event(received_at="yesterday")),
    ("GET", "/events", 200, event(endpoint=None)),
    # Evidence of another check, or none where there is always some.
    ("GET", "/status", 200, check_of("clock", {"endpoints": []})),
    ("GET", "/status", 200, check_of("backlog", None)),
    # No object at all.
    ("GET", "/status", 200, []),
]


@pytest.mark.parametrize(("method", "path", "status", "body"), FITTING)
def test_a_response_as_documented_passes(method: str, path: str, status: int, body: Any) -> None:
    CONTRACT.check(method, path, json_response(body, status))


@pytest.mark.parametrize(("method", "path", "status", "body"), BREAKING)
def test_a_response_that_is_not_as_documented_fails(method: str, path: str, status: int, body: Any) -> None:
    with pytest.raises(ContractError):
        CONTRACT.check(method, path, json_response(body, status))


def test_a_body_that_is_no_json_fails() -> None:
    with pytest.raises(ContractError, match="is no JSON"):
        CONTRACT.check("GET", "/status", Response(200, "<html>"))


@pytest.fixture
def server() -> Iterator[str]:
    """A server that answers every GET with a receipt that is not as documented."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"received": "perhaps"}')

        def log_message(self, *_: Any) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()


def test_the_client_checks_each_response_of_the_api_and_of_nothing_else(server: str) -> None:
    with every_response_checked(f"{server}/api"):
        assert client.send("GET", f"{server}/apis/status").status == 200
        with pytest.raises(ContractError, match="GET /status"):
            client.send("GET", f"{server}/api/status")
        # What nobody has caught, such as in a thread, fails the test that it happened in.
        with pytest.raises(ContractError, match="GET /status"):
            raise_broken()
        raise_broken()
    assert client.send("GET", f"{server}/api/status").status == 200
