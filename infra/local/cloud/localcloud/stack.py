"""One local stack: how it comes up, how it goes down, and its description for tests and tools."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import build, client, deploy, people, servers
from .processes import Processes
from .surroundings import LOCAL, Slot, Trouble, free_port, is_free

FUNCTIONS = ("receive", "process", "register", "status", "records", "replay", "reconcile", "import")
TABLES = ("ledger", "records", "registry", "audit")

# The Makefile's too.
DEFAULT_PORT = 4566

# Where tools look for "the" stack: a link to the description of the one that `make up` made last.
LINK = LOCAL / "stack.json"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stripe:
    """A Stripe that exists already, to be used instead of a simulated one."""

    base: str
    key: str


@dataclass(frozen=True)
class Stack:
    """What is in ``stack.json``: addresses, people, names."""

    described: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.described[name]
        except KeyError:
            raise AttributeError(name) from None

    def call(self, method: str, path: str, token: str | None = None, body: Any = None) -> client.Answer:
        """Calls Billhook's API."""
        return client.call(method, self.api_url + path, token, body)

    def admin_call(self, method: str, path: str, body: Any = None) -> client.Answer:
        """Calls Billhook's API as its admin."""
        return self.call(method, path, self.admin["token"], body)

    def aws(self, service: str) -> Any:
        """A client for one of AWS's services, as the account's owner."""
        return deploy.aws(service, self.aws_endpoint_url)


@contextlib.contextmanager
def held(slot: Slot) -> Iterator[None]:
    """Keeps a second command off the slot; the system lets go of it however this one ends."""
    slot.lock.parent.mkdir(parents=True, exist_ok=True)
    with open(slot.lock, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"another command is at work on the stack '{slot.name}' of this folder") from None
        yield


def end_with(port: int) -> str:
    """The command that ends the stack at a port."""
    return "make down" if port == DEFAULT_PORT else f"PORT={port} make down"


def up(slot: Slot, port: int, say: Say, given: Stripe | None = None) -> Stack:
    """Brings the stack up, or up to date if it runs already. Harmless when nothing has changed."""
    processes = Processes(slot)
    before = _read(slot)
    if before and processes.all_alive():
        if given and (before["stripe_api_base"], before["stripe_api_key"]) != (given.base, given.key):
            raise Trouble(f"the stack at PORT={port} runs with another Stripe: end it first, with `{end_with(port)}`")
        return _bring_up_to_date(slot, processes, before, say)
    if before:
        say("this stack does not run any more; starting anew")
    # What an interrupted run may have left.
    down(slot)
    if not is_free(port):
        raise Trouble(f"port {port} is in use: end what uses it, or choose another with PORT=…")
    slot.folder.mkdir(parents=True)
    try:
        return _bring_up(slot, processes, port, given, say)
    except BaseException:
        # Half a stack is of no use to anyone.
        down(slot)
        raise


def _bring_up(slot: Slot, processes: Processes, port: int, given: Stripe | None, say: Say) -> Stack:
    """From nothing: build, servers, deployment, people, key."""
    say("building the functions (sam build)")
    template = build.build(slot)
    say(f"starting AWS (MiniStack) on port {port}")
    endpoint = servers.start_ministack(slot, processes, port)
    stripe, control = (given, None) if given else _simulate_stripe(slot, processes, say)
    say("deploying the template (sam deploy)")
    outputs = _deploy(slot, endpoint, template, stripe)
    described = _describe(endpoint, outputs, stripe, control)
    for name in ("admin", "viewer"):
        say(f"making the {name} (Cognito)")
        described[name] = people.make(endpoint, outputs["UserPoolId"], outputs["ClientId"], name, name).as_dict()
    stack = Stack(described)
    say("giving Billhook its Stripe key (PUT /settings/stripe-key)")
    answer = stack.admin_call("PUT", "/settings/stripe-key", {"key": stripe.key})
    if answer.status // 100 != 2:
        raise Trouble(f"Billhook did not take the Stripe key: {answer.status} {answer.text}")
    # Last, so that a description always is of a stack that is ready.
    _write(slot, described)
    return stack


def _bring_up_to_date(slot: Slot, processes: Processes, before: dict[str, Any], say: Say) -> Stack:
    """Brings over what has changed in the source, and gives the people tokens that are good for another day."""
    say("this stack is up already; building what has changed (sam build)")
    template = build.build(slot)
    endpoint = before["aws_endpoint_url"]
    stripe = Stripe(before["stripe_api_base"], before["stripe_api_key"])
    if (slot.folder / "deployed").read_text() == _digest(template.parent):
        say("nothing has changed since it was deployed")
        outputs = deploy.outputs(endpoint)
    else:
        say("deploying what has changed (sam deploy)")
        outputs = _deploy(slot, endpoint, template, stripe)
    described = _describe(endpoint, outputs, stripe, before.get("stripe_control_url"))
    for name in ("admin", "viewer"):
        known = before[name]
        token = people.sign_in(
            endpoint, outputs["UserPoolId"], outputs["ClientId"], known["username"], known["password"]
        )
        described[name] = known | {"token": token}
    simulated = "stripe_control_url" in before
    if simulated and servers.simulated_stripe_is_old(slot, build.built_binary(slot, "simulated-stripe")):
        say("the simulated Stripe has changed: it is used after `make down` and `make up`, since it would forget all")
    _write(slot, described)
    return Stack(described)


def down(slot: Slot) -> int:
    """Ends what `up` started, and nothing else; says how many processes that was."""
    ended = Processes(slot).stop_all()
    was_published = LINK.is_symlink() and LINK.resolve() == slot.folder / "stack.json"
    shutil.rmtree(slot.folder, ignore_errors=True)
    if was_published:
        LINK.unlink()
        _publish_another()
    return ended


def publish(slot: Slot) -> None:
    """Makes this slot's description the one at ``.local/stack.json``."""
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(Path("stacks") / slot.name / "stack.json")


def _publish_another() -> None:
    """The newest of the other stacks of `make up`, whose slots are named by their ports."""
    others = [path for path in (LOCAL / "stacks").glob("*/stack.json") if path.parent.name.isdigit()]
    if others:
        newest = max(others, key=lambda path: path.stat().st_mtime)
        LINK.symlink_to(newest.relative_to(LOCAL))


def _simulate_stripe(slot: Slot, processes: Processes, say: Say) -> tuple[Stripe, str]:
    """A Stripe of our own, and where it is told what to do."""
    port = free_port()
    key = f"sk_test_{secrets.token_hex(16)}"
    say(f"starting the simulated Stripe on port {port}")
    base = servers.start_simulated_stripe(
        slot, processes, build.built_binary(slot, "simulated-stripe"), port, key, "test", f"acct_{secrets.token_hex(8)}"
    )
    return Stripe(base, key), f"{base}/_control"


def _deploy(slot: Slot, endpoint: str, template: Path, stripe: Stripe) -> dict[str, str]:
    outputs = deploy.deploy(slot, endpoint, template, {
        "Mode": "live" if "_live_" in stripe.key else "test",
        "Architecture": build.architecture(),
        "PublicUrl": deploy.api_url(endpoint),
        "StripeApiBase": stripe.base,
        "TokenHours": "24",
        "LogRetentionDays": "1",
    })
    (slot.folder / "deployed").write_text(_digest(template.parent))
    return outputs


def _describe(endpoint: str, outputs: dict[str, str], stripe: Stripe, control: str | None) -> dict[str, Any]:
    """What tests and tools need to know of the stack, but for the people."""
    return {
        "api_url": deploy.api_url(endpoint),
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
    """Stands for everything that a deployment would bring over. SAM would find out too, but takes seconds for it."""
    total = hashlib.sha256()
    for file in sorted(path for path in built.rglob("*") if path.is_file()):
        total.update(str(file.relative_to(built)).encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _read(slot: Slot) -> Any:
    try:
        return json.loads((slot.folder / "stack.json").read_text())
    except FileNotFoundError:
        return None


def _write(slot: Slot, described: dict[str, Any]) -> None:
    """For the user's eyes alone: it holds passwords, tokens and a key."""
    path = slot.folder / "stack.json"
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(described, file, indent=2)
        file.write("\n")
    fresh.replace(path)
