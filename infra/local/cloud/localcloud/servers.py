"""MiniStack and the simulated Stripe: how each is started, and when it is ready."""

import filecmp
import shutil
import subprocess
import urllib.error
from pathlib import Path

from . import client
from .logs import tail
from .processes import Processes
from .settings import MINISTACK, StackPaths, UserError, server_environment

READY_TIMEOUT_S = 60.0


def start_ministack(paths: StackPaths, processes: Processes, port: int) -> str:
    """Starts AWS's APIs on the port; returns their URL."""
    # "localhost", not 127.0.0.1: MiniStack makes the URLs of APIs from this name.
    endpoint = f"http://localhost:{port}"
    process = processes.start(
        "ministack",
        # -X takes any word and ignores it: it puts the folder into the command line, where `processes` looks
        # for it.
        [str(MINISTACK / "bin" / "python"), "-X", f"billhook={paths.root}", "-m", "ministack"],
        server_environment(paths)
        | {
            # Without these two it listens on every address, and on a second port.
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "GATEWAY_PORT": str(port),
            # Enforces IAM: each function can do what its policy allows, and nothing else.
            "AUTH": "true",
            # The endpoint that functions call AWS at.
            "AWS_ENDPOINT_URL": endpoint,
            # A new account on AWS runs ten functions at a time; a test that sends more at once is not about
            # that.
            "LAMBDA_ACCOUNT_CONCURRENCY": "100",
        },
    )
    _wait_until_ready("MiniStack", process, f"{endpoint}/_ministack/health", paths.logs / "ministack.log")
    return endpoint


def start_simulated_stripe(
    paths: StackPaths, processes: Processes, binary: Path, port: int, key: str, mode: str, account: str
) -> str:
    """Starts a simulated Stripe on the port; returns its URL."""
    # A copy: its path is in the stack's folder, and a later build can replace the original while this one
    # runs.
    copy = _copy_of_stripe(paths)
    shutil.copy2(binary, copy)
    base = f"http://127.0.0.1:{port}"
    process = processes.start(
        "simulated-stripe",
        [str(copy)],
        server_environment(paths) | {"PORT": str(port), "KEY": key, "MODE": mode, "ACCOUNT": account},
    )
    _wait_until_ready(
        "the simulated Stripe", process, f"{base}/v1/webhook_endpoints", paths.logs / "simulated-stripe.log"
    )
    return base


def is_simulated_stripe_outdated(paths: StackPaths, binary: Path) -> bool:
    """Whether the one that runs is another build than this."""
    copy = _copy_of_stripe(paths)
    return copy.exists() and not filecmp.cmp(copy, binary, shallow=False)


def _copy_of_stripe(paths: StackPaths) -> Path:
    return paths.root / "simulated-stripe"


def _wait_until_ready(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Waits until the server sends any response, or raises with the reason from its log."""

    def responds() -> bool:
        if process.poll() is not None:
            raise UserError(f"{name} ended at once; its log {log} ends with:\n{tail(log)}")
        try:
            return client.send("GET", url, timeout=2).status > 0
        except (urllib.error.URLError, OSError):
            return False

    try:
        client.poll(responds, bool, READY_TIMEOUT_S, interval=0.1)
    except TimeoutError:
        raise UserError(f"{name} did not answer within {READY_TIMEOUT_S:g} seconds; see {log}") from None
