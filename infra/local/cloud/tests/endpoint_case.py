"""An endpoint that a test can break in many ways, at Stripe, in the tables and on the way between."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from localcloud import client
from localcloud.client import Response
from localcloud.stack import Stack

# A process looks at the endpoints again within ten seconds; a reconciliation of the schedule may run
# meanwhile.
SOON_S = 60.0


def forget_last_look(stack: Stack) -> None:
    """What Stripe said last of the status holds for ten seconds. A test does not wait for that to pass."""
    key = {"kind": {"S": "look"}, "name": {"S": "status"}}
    stack.aws("dynamodb").delete_item(TableName=stack.tables["registry"], Key=key)


@dataclass
class EndpointCase:
    """An endpoint of a test, and ways to break it."""

    stack: Stack
    name: str
    url: str | None = None
    registered: dict[str, Any] = field(default_factory=dict)

    def register(self) -> None:
        """Registers it as an admin does."""
        response = self.stack.admin_call(
            "POST", "/endpoints", {"name": self.name} | ({"url": self.url} if self.url else {})
        )
        assert response.status == 201, response.text
        self.registered = response.json

    def deregister(self) -> None:
        """Deregisters it, if it is registered."""
        response = self.stack.admin_call("DELETE", f"/endpoints/{self.name}?confirm={self.name}")
        assert response.status in {204, 404}, response.text

    def register_again(self) -> None:
        """Deregisters it and registers it again, which is the remedy of many checks."""
        self.deregister()
        self.register()

    def set_row(self, **values: int) -> None:
        """Writes into the endpoint's row of the table, without Billhook."""
        names = {f"#{name}": name for name in values}
        self.stack.aws("dynamodb").update_item(
            TableName=self.stack.tables["registry"],
            Key={"kind": {"S": "endpoint"}, "name": {"S": self.name}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in values.items()},
        )

    def control(self, method: str, path: str, body: Any = None) -> Response:
        """Calls the control API of the simulated Stripe."""
        response = client.send_json(method, self.stack.stripe_control_url + path, None, body)
        assert response.status // 100 == 2, response.text
        return response

    def change_at_stripe(self, **changes: Any) -> None:
        """Changes the endpoint at Stripe, as someone does in its dashboard."""
        self.control("PATCH", f"/endpoints/{self.registered['stripe_id']}", changes)

    def miss_event(self, fate: str = "delivered") -> str:
        """Makes an event of ten minutes ago that Stripe tries to deliver now, or does not; returns its id.

        The endpoint is made to look as if registered an hour ago: events of the last minutes are not
        compared.
        """
        hour_ago = int((time.time() - 3600) * 1000)
        self.set_row(created_at=hour_ago, state_since=hour_ago, listens_since=hour_ago)
        made = self.control(
            "POST", "/events", {"type": "customer.updated", "created": int(time.time()) - 600, "fate": fate}
        )
        event_id = str(made.json["id"])
        if fate == "delivered":
            client.poll(lambda: self.attempts(event_id), bool, SOON_S)
        return event_id

    def attempts(self, event_id: str) -> list[Any]:
        """Returns Stripe's attempts to deliver the event to this endpoint."""
        return [
            attempt
            for attempt in self.control("GET", "/deliveries").json
            if attempt["event"] == event_id and attempt["endpoint"] == self.registered["stripe_id"]
        ]

    def reconcile(self) -> Any:
        """Reconciles now; returns the report."""
        response = client.poll(
            lambda: self.stack.admin_call("POST", "/reconcile", {}),
            lambda response: response.code != "reconcile_running",
            SOON_S,
        )
        assert response.status == 200, response.text
        return response.json

    def live_status(self) -> Response:
        """Returns the answer of the status as Stripe says now."""
        forget_last_look(self.stack)
        response = self.stack.admin_call("GET", "/status?live=true")
        assert response.status == 200, response.text
        return response

    def status(self) -> tuple[str, set[str]]:
        """Returns the stack's status, and the codes of all checks that fail."""
        response = self.live_status()
        endpoints = response.json["endpoints"]
        checks = response.json["checks"] + [check for endpoint in endpoints for check in endpoint["checks"]]
        for check in checks:
            assert check["ok"] == (check["outcome"] == "ok"), check
            assert check["ok"] or check["remedy"], check
        # An error of the endpoint is one of the stack.
        assert response.json["status"] == "error" or all(
            endpoint["status"] != "error" for endpoint in endpoints
        )
        return (response.json["status"], {check["code"] for check in checks if check["outcome"] == "failed"})

    def summary(self, code: str) -> str:
        """Returns the summary of one of the endpoint's checks."""
        found = [
            check
            for endpoint in self.live_status().json["endpoints"]
            if endpoint["name"] == self.name
            for check in endpoint["checks"]
        ]
        return next(str(check["summary"]) for check in found if check["code"] == code)


class RewritingProxy:
    """A proxy between Stripe and the stack, which rewrites the bodies while `rewrites` is set."""

    def __init__(self, target: str) -> None:
        """Starts it on a free port."""
        self.rewrites = False
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """Handles one request."""

            def do_POST(self) -> None:
                """Passes it on."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if proxy.rewrites:
                    body = json.dumps(json.loads(body)).encode()
                headers = {name: self.headers[name] for name in ("Content-Type", "Stripe-Signature")}
                response = client.send("POST", target + self.path, body, headers)
                self.send_response(response.status)
                self.end_headers()
                self.wfile.write(response.text.encode())

            def log_message(self, *_: Any) -> None:
                """Logs nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The URL that stands for the stack's."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def broken_function(stack: Stack, function: str, variable: str) -> Iterator[Callable[[], None]]:
    """Gives a function a wrong value of a variable until the end, or until the yielded function is called."""
    lambdas, name = stack.aws("lambda"), stack.functions[function]
    correct = lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def set_to(variables: dict[str, str]) -> None:
        lambdas.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    set_to(correct | {variable: "no-such-table"})
    try:
        yield lambda: set_to(correct)
    finally:
        set_to(correct)
