"""One local stack: how it is started and ended, and its description for tests and tools."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import build, client, deploy, servers, signals, users
from .processes import Processes
from .progress import Reporter
from .settings import LOCAL, StackPaths, UserError, free_port, is_free

FUNCTIONS = (
    "receive",
    "process",
    "register",
    "status",
    "records",
    "replay",
    "reconcile",
    "import",
    "erase",
    "console",
)
TABLES = ("ledger", "records", "registry", "audit")

# The Makefile's too.
DEFAULT_PORT = 4566

# A link to the description of the stack that `make up` started last.
LINK = LOCAL / "stack.json"


@dataclass(frozen=True)
class StripeApi:
    """Where Stripe's API is, and a key for it."""

    base: str
    key: str


@dataclass(frozen=True)
class Stack:
    """The description of a stack, as in ``stack.json``: URLs, users, names."""

    description: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Returns the member of the description."""
        try:
            return self.description[name]
        except KeyError:
            raise AttributeError(name) from None

    def call(self, method: str, path: str, token: str | None = None, body: Any = None) -> client.Response:
        """Calls Billhook's API."""
        return client.send_json(method, self.api_url + path, token, body)

    def admin_call(self, method: str, path: str, body: Any = None) -> client.Response:
        """Calls Billhook's API as its admin."""
        return self.call(method, path, self.admin["token"], body)

    def aws(self, service: str) -> Any:
        """Returns a client for one of AWS's services, as the account's owner."""
        return deploy.aws_client(service, self.aws_endpoint_url)


@contextlib.contextmanager
def locked(paths: StackPaths) -> Iterator[None]:
    """Keeps a second command off the stack; the system releases the lock however this one ends."""
    paths.lock.parent.mkdir(parents=True, exist_ok=True)
    with open(paths.lock, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another command is at work on the stack '{paths.name}' of this folder"
            ) from None
        yield


def console_url(endpoint: str) -> str:
    """Returns the console's URL. Without the slash MiniStack takes it for a bucket's."""
    return f"{deploy.api_url(endpoint)}/"


def down_command(port: int) -> str:
    """Returns the command that ends the stack at a port."""
    return "make down" if port == DEFAULT_PORT else f"PORT={port} make down"


@deploy.aws_errors_for_users()
def up(
    paths: StackPaths, port: int, report: Reporter, stripe: StripeApi | None = None, with_key: bool = True
) -> Stack:
    """Starts the stack, or updates it if it runs already; without a given Stripe it has a simulated one.

    A new one gets its Stripe key, unless it is to be as after a first deployment.

    Running it again changes nothing if the source has not changed.
    """
    processes = Processes(paths)
    before = _read(paths)
    if before and processes.all_running():
        if stripe and (before["stripe_api_base"], before["stripe_api_key"]) != (stripe.base, stripe.key):
            raise UserError(
                f"the stack at PORT={port} runs with another Stripe: end it with `{down_command(port)}`"
            )
        return _update(paths, processes, before, report)
    if before:
        report("this stack does not run any more; starting it again")
    # What an interrupted run may have left.
    down(paths)
    if not is_free(port):
        raise UserError(f"port {port} is in use: end what uses it, or choose another with PORT=…")
    paths.root.mkdir(parents=True)
    try:
        return _start(paths, processes, port, stripe, report, with_key)
    except BaseException:
        # Half a stack is of no use to anyone.
        down(paths)
        raise


def _start(
    paths: StackPaths,
    processes: Processes,
    port: int,
    given: StripeApi | None,
    report: Reporter,
    with_key: bool,
) -> Stack:
    """Does all of it: build, servers, deployment, users, key."""
    report("building the functions")
    template = build.build(paths, report)
    report(f"starting AWS (MiniStack) on port {port}")
    endpoint = servers.start_ministack(paths, processes, port)
    stripe, control = (given, None) if given else _start_simulated_stripe(paths, processes, report)
    report("deploying the template (sam deploy)")
    outputs = _deploy(paths, endpoint, template, stripe)
    description = _description(endpoint, outputs, stripe, control)
    for name in ("admin", "viewer"):
        report(f"creating the user {name} (Cognito)")
        description[name] = users.create(
            endpoint, outputs["UserPoolId"], outputs["ClientId"], name, name
        ).as_dict()
    stack = Stack(description)
    if with_key:
        report("giving Billhook its Stripe key (PUT /settings/stripe-key)")
        response = stack.admin_call("PUT", "/settings/stripe-key", {"key": stripe.key})
        if response.status // 100 != 2:
            raise UserError(f"Billhook did not take the Stripe key: {response.status} {response.text}")
    # Last, so that a description always is of a stack that is ready.
    _write(paths, description)
    return stack


def _update(paths: StackPaths, processes: Processes, before: dict[str, Any], report: Reporter) -> Stack:
    """Deploys what has changed in the source, and gives the users tokens that are valid for another day."""
    report("this stack is up already; building what has changed")
    template = build.build(paths, report)
    endpoint = before["aws_endpoint_url"]
    stripe = StripeApi(before["stripe_api_base"], before["stripe_api_key"])
    if (paths.root / "deployed").read_text() == _digest(template.parent):
        report("nothing has changed since it was deployed")
        outputs = deploy.outputs(endpoint)
    else:
        report("deploying what has changed (sam deploy)")
        outputs = _deploy(paths, endpoint, template, stripe)
    description = _description(endpoint, outputs, stripe, before.get("stripe_control_url"))
    for name in ("admin", "viewer"):
        user = before[name]
        token = users.sign_in(
            endpoint, outputs["UserPoolId"], outputs["ClientId"], user["username"], user["password"]
        )
        description[name] = user | {"token": token}
    simulated = "stripe_control_url" in before
    if simulated and servers.is_simulated_stripe_outdated(
        paths, build.built_binary(paths, "simulated-stripe")
    ):
        report(
            "the simulated Stripe has changed: `make down` and `make up` start the new one, which is empty"
        )
    _write(paths, description)
    return Stack(description)


def down(paths: StackPaths) -> int:
    """Ends what `up` started, and nothing else; returns how many processes that was.

    Ctrl-C waits until all of it is done.
    """
    with signals.deferred():
        ended = Processes(paths).stop_all()
        was_published = LINK.is_symlink() and LINK.resolve() == paths.root / "stack.json"
        shutil.rmtree(paths.root, ignore_errors=True)
        if was_published:
            LINK.unlink()
            _publish_another()
    return ended


def publish(paths: StackPaths) -> None:
    """Makes this stack's description the one at ``.local/stack.json``."""
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(Path("stacks") / paths.name / "stack.json")


def _publish_another() -> None:
    """Publishes the newest of the other stacks of `make up`, which are named by their ports."""
    others = [path for path in (LOCAL / "stacks").glob("*/stack.json") if path.parent.name.isdigit()]
    if others:
        newest = max(others, key=lambda path: path.stat().st_mtime)
        LINK.symlink_to(newest.relative_to(LOCAL))


def _start_simulated_stripe(
    paths: StackPaths, processes: Processes, report: Reporter
) -> tuple[StripeApi, str]:
    """Starts a simulated Stripe; returns its API and the URL of its control API."""
    port = free_port()
    key = f"sk_test_{secrets.token_hex(16)}"
    report(f"starting the simulated Stripe on port {port}")
    base = servers.start_simulated_stripe(
        paths,
        processes,
        build.built_binary(paths, "simulated-stripe"),
        port,
        key,
        "test",
        f"acct_{secrets.token_hex(8)}",
    )
    return StripeApi(base, key), f"{base}/_control"


def _deploy(paths: StackPaths, endpoint: str, template: Path, stripe: StripeApi) -> dict[str, str]:
    outputs = deploy.deploy(
        paths,
        endpoint,
        template,
        {
            "Mode": "live" if "_live_" in stripe.key else "test",
            "Architecture": build.architecture(),
            "PublicUrl": deploy.api_url(endpoint),
            "StripeApiBase": stripe.base,
            # MiniStack has the pages for signing in at its own address.
            "SignInUrl": endpoint,
            "TokenHours": "24",
            "MachineClient": "true",
            "LogRetentionDays": "1",
        },
    )
    (paths.root / "deployed").write_text(_digest(template.parent))
    return outputs


def _description(
    endpoint: str, outputs: dict[str, str], stripe: StripeApi, control: str | None
) -> dict[str, Any]:
    """Returns what tests and tools need to know of the stack, without its users."""
    return {
        "api_url": deploy.api_url(endpoint),
        "console_url": console_url(endpoint),
        "aws_endpoint_url": endpoint,
        "stripe_api_base": stripe.base,
        "stripe_api_key": stripe.key,
        **({"stripe_control_url": control} if control else {}),
        "issuer": outputs["Issuer"],
        "client_id": outputs["ClientId"],
        "stack_name": deploy.STACK,
        "functions": {name: outputs[f"{name.capitalize()}Function"] for name in FUNCTIONS},
        "tables": {name: outputs[f"{name.capitalize()}Table"] for name in TABLES},
    }


def _digest(built: Path) -> str:
    """Returns a digest of all that is deployed. SAM compares too, but takes seconds for it."""
    total = hashlib.sha256()
    for file in sorted(path for path in built.rglob("*") if path.is_file()):
        total.update(str(file.relative_to(built)).encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _read(paths: StackPaths) -> Any:
    try:
        return json.loads((paths.root / "stack.json").read_text())
    except FileNotFoundError:
        return None


def _write(paths: StackPaths, description: dict[str, Any]) -> None:
    """Writes the description, readable by the user alone: it holds passwords, tokens and a key."""
    path = paths.root / "stack.json"
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(description, file, indent=2)
        file.write("\n")
    new.replace(path)
