"""The commands: ``up`` starts a local stack, ``down`` ends it, ``demo`` runs the demo on one of its own."""

import argparse
import ipaddress
import os
import sys
from urllib.parse import urlsplit

from . import command_line, demo, stack
from .progress import Reporter
from .settings import LOCAL, StackPaths, UserError


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="localcloud", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "demo"])
    command = parser.parse_args().command
    return command_line.run(command, {"up": _up, "down": _down, "demo": demo.main}[command])


def _up() -> int:
    port = _port()
    paths = StackPaths(str(port))
    with stack.locked(paths):
        started = stack.up(paths, port, Reporter(), _stripe_from_environment())
        stack.publish(paths)
    description = os.path.relpath(paths.root / "stack.json")
    print(f"up: {started.console_url} is the console, for a browser")
    print(f"    sign in as {started.admin['username']}, or {started.viewer['username']}, who may only look;")
    print(f"    their passwords: jq -r '.admin.password, .viewer.password' {description}")
    print(f"    the API: {started.api_url}")
    authorization = f"Authorization: Bearer $(jq -r .admin.token {description})"
    print(f'    try: curl -H "{authorization}" {started.api_url}/status')
    print(f"    URLs, tokens and names: {description}")
    print(f"    logs: {os.path.relpath(paths.logs)}/")
    print(f"    end it with: {stack.down_command(port)}")
    return 0


def _down() -> int:
    paths = StackPaths(str(_port()))
    if not paths.root.exists():
        others = [folder.name for folder in (LOCAL / "stacks").glob("*/") if folder.name.isdigit()]
        print(
            f"down: nothing runs for PORT={paths.name}"
            + (f" (there is {', '.join(others)})" if others else "")
        )
        return 0
    with stack.locked(paths):
        ended = stack.down(paths)
    print(f"down: ended {ended} processes")
    return 0


def _port() -> int:
    given = os.environ.get("PORT") or str(stack.DEFAULT_PORT)
    if not given.isdigit() or not 1024 <= int(given) <= 65535:
        raise UserError(f"PORT={given} is not a port from 1024 to 65535")
    return int(given)


def _stripe_from_environment() -> stack.StripeApi | None:
    base, key = os.environ.get("STRIPE_API_BASE"), os.environ.get("STRIPE_API_KEY")
    if bool(base) != bool(key):
        raise UserError("STRIPE_API_BASE and STRIPE_API_KEY go together: set both, or neither")
    if not base or not key:
        return None
    if not _is_api_base(base):
        raise UserError(
            f"STRIPE_API_BASE={base} is no URL that the functions take: https://host, or http:// on this "
            "machine, without path, query or credentials"
        )
    return stack.StripeApi(base.rstrip("/"), key)


def _is_api_base(text: str) -> bool:
    """Whether the functions accept it: the key is never sent in the clear.

    The rule is that of `functions/shared/src/stripe/base.rs`.
    """
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError:
        return False
    here = host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
    bare = url.path in ("", "/") and not (url.query or url.fragment or "@" in url.netloc)
    return bool(host) and bare and (url.scheme == "https" or (url.scheme == "http" and here))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
