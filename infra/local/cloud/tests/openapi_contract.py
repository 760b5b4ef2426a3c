"""The API's description, `functions/openapi.yaml`, as a check of responses: each has to be as it says.

Only responses are checked: tests send wrong requests on purpose. Schemas of OpenAPI 3.1 are JSON Schema
2020-12, so openapi-schema-validator (of python-openapi, on jsonschema) validates them as they stand.
openapi-core, of the same people, is not used: its latest release excludes the latest openapi-spec-validator,
and what it adds is to match paths.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator.readers import read_from_filename
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from localcloud import client
from localcloud.client import Response
from localcloud.settings import ROOT

DOCUMENT = ROOT / "functions" / "openapi.yaml"

# The name under which the document's schemas refer to each other.
_URI = "urn:billhook:openapi"
_JSON = "application/json"


class ContractError(AssertionError):
    """A response is not as the document says."""


# Responses that were not as documented, until a test reports them.
_broken: list[ContractError] = []


class Contract:
    """The document, ready to check responses."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Takes the document as it was read."""
        self.document = document
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        # `/events/replay` before `/events/{id}`, as OpenAPI has it.
        paths = sorted(document["paths"], key=lambda path: path.count("{"))
        self._paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]

    @classmethod
    def read(cls) -> "Contract":
        """Reads the document of this repository."""
        document, _ = read_from_filename(str(DOCUMENT))
        return cls(document)

    def check(self, method: str, path: str, response: Response) -> None:
        """Raises a ContractError unless the response is one that the document names for the request."""
        request = f"{method} {path}"
        pointer, responses = self._responses(method.lower(), path.split("?")[0])
        described = responses.get(str(response.status))
        if described is None:
            documented = ", ".join(responses)
            raise ContractError(
                f"{request}: {response.status} is not documented ({documented}): {_short(response.text)}"
            )
        pointer = f"{pointer}/{response.status}"
        while "$ref" in described:
            pointer = described["$ref"].removeprefix("#")
            described = self.at(pointer)
        content = described.get("content")
        if content is None:
            if response.text:
                raise ContractError(f"{request}: {response.status} has a body: {_short(response.text)}")
            return
        media_type = response.headers.get("content-type", _JSON).split(";")[0]
        if media_type not in content:
            raise ContractError(f"{request}: {response.status} is {media_type}: {_short(response.text)}")
        if media_type != _JSON:
            return
        if response.json is None:
            raise ContractError(f"{request}: {response.status} is no JSON: {_short(response.text)}")
        if misfit := self.misfit(f"{pointer}/content/{_escaped(_JSON)}/schema", response.json):
            raise ContractError(f"{request}: {response.status}: {misfit}")

    def misfit(self, pointer: str, value: Any) -> str | None:
        """Returns where and how a value does not fit the schema at a JSON pointer; ``None`` if it fits."""
        schema = {"$ref": f"{_URI}#{quote(pointer)}"}
        validator = OAS31Validator(schema, registry=self._registry, format_checker=oas31_format_checker)
        error = next(validator.iter_errors(value), None)
        if error is None:
            return None
        # Of the alternatives, the one that fits the furthest says the most.
        while error.context:
            error = max(error.context, key=lambda inner: len(inner.absolute_path))
        return f"{error.json_path}: {_short(error.message)}"

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yields each operation: its method, its path and what the document says of it."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "parameters":
                    yield method.upper(), path, operation

    def at(self, pointer: str) -> Any:
        """Returns what stands at a JSON pointer."""
        value: Any = self.document
        for part in pointer.split("/")[1:]:
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value

    def _responses(self, method: str, path: str) -> tuple[str, Mapping[str, Any]]:
        """Returns the documented responses of a request by status, and the JSON pointer to them."""
        for pattern, documented in self._paths:
            if pattern.fullmatch(path) and method in self.document["paths"][documented]:
                pointer = f"/paths/{_escaped(documented)}/{method}/responses"
                return pointer, self.at(pointer)
        return "/x-unrouted", self.document["x-unrouted"]


@contextmanager
def every_response_checked(api_url: str) -> Iterator[None]:
    """Checks each response that the client gets from the API at this address."""
    contract = Contract.read()

    def observe(method: str, url: str, response: Response) -> None:
        if not url.startswith(f"{api_url}/"):
            return
        try:
            contract.check(method, url.removeprefix(api_url), response)
        except ContractError as error:
            _broken.append(error)
            raise

    client.observers.append(observe)
    try:
        yield
    finally:
        client.observers.remove(observe)


def raise_broken() -> None:
    """Raises the first error since the last call: one that was raised in a thread has failed no test yet."""
    broken = _broken[:]
    _broken.clear()
    if broken:
        raise broken[0]


def _escaped(part: str) -> str:
    """Returns a part of a JSON pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def _short(text: str) -> str:
    return text if len(text) <= 500 else f"{text[:500]}…"
