"""The commands: ``up`` and ``down`` for a stack that stays, ``demo`` for one that comes, tells its story, and goes."""

import argparse
import ipaddress
import os
import signal
import sys
from types import FrameType
from urllib.parse import urlsplit

from . import demo, stack
from .surroundings import LOCAL, Slot, Trouble


def main() -> int:
    """Runs one command; what a person can mend is one line on standard error."""
    parser = argparse.ArgumentParser(prog="localcloud", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "demo"])
    command = parser.parse_args().command
    # A closed terminal or a polite kill ends us like Ctrl-C, so that what was started is ended too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Unless it is to be ignored, as under nohup.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)
    try:
        return {"up": _up, "down": _down, "demo": demo.main}[command]()
    except Trouble as trouble:
        print(f"{command}: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{command}: interrupted", file=sys.stderr)
        return 130


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up() -> int:
    port = _port()
    slot = Slot(str(port))
    with stack.held(slot):
        ready = stack.up(slot, port, say=lambda line: print(f"· {line}", flush=True), given=_given_stripe())
        stack.publish(slot)
    print(f"up: {ready.api_url}")
    print(f"    description, with tokens: {os.path.relpath(slot.folder / 'stack.json')}")
    print(f"    logs: {os.path.relpath(slot.logs)}/")
    print(f"    end it with: {stack.end_with(port)}")
    return 0


def _down() -> int:
    slot = Slot(str(_port()))
    if not slot.folder.exists():
        others = [folder.name for folder in (LOCAL / "stacks").glob("*/") if folder.name.isdigit()]
        print(f"down: nothing runs for PORT={slot.name}" + (f" (there is {', '.join(others)})" if others else ""))
        return 0
    with stack.held(slot):
        ended = stack.down(slot)
    print(f"down: ended {ended} processes")
    return 0


def _port() -> int:
    given = os.environ.get("PORT") or str(stack.DEFAULT_PORT)
    if not given.isdigit() or not 1024 <= int(given) <= 65535:
        raise Trouble(f"PORT={given} is not a port from 1024 to 65535")
    return int(given)


def _given_stripe() -> stack.Stripe | None:
    base, key = os.environ.get("STRIPE_API_BASE"), os.environ.get("STRIPE_API_KEY")
    if bool(base) != bool(key):
        raise Trouble("STRIPE_API_BASE and STRIPE_API_KEY go together: set both, or neither")
    if not base or not key:
        return None
    if not _is_api_base(base):
        raise Trouble(
            f"STRIPE_API_BASE={base} is no address that the functions take: https://host, or http:// on this machine, "
            "without path, query or credentials"
        )
    return stack.Stripe(base.rstrip("/"), key)


def _is_api_base(text: str) -> bool:
    """The rule of the functions (`functions/shared/src/stripe/base.rs`): the key must not leave this machine in the clear."""
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
