"""MiniStack and the simulated Stripe: how each is started, and when it is ready."""

import filecmp
import shutil
import subprocess
import urllib.error
from pathlib import Path

from . import client
from .processes import Processes, tail
from .surroundings import MINISTACK, Slot, Trouble, bare_environment

READY_S = 60.0


def start_ministack(slot: Slot, processes: Processes, port: int) -> str:
    """Starts AWS's APIs on the port; gives their address."""
    # "localhost", not 127.0.0.1: MiniStack's addresses for APIs are made from this name.
    endpoint = f"http://localhost:{port}"
    process = processes.start(
        "ministack",
        # -X takes any word and ignores it: it puts the folder into the command line, where `processes` looks for it.
        [str(MINISTACK / "bin" / "python"), "-X", f"billhook={slot.folder}", "-m", "ministack"],
        bare_environment(slot) | {
            # Without these two it listens on every address, and on a second port.
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "GATEWAY_PORT": str(port),
            # Enforces IAM: each function can do what its policy allows, and nothing else.
            "AUTH": "true",
            # Functions get the address of AWS from here.
            "AWS_ENDPOINT_URL": endpoint,
            # A new account on AWS runs ten functions at a time; a test that sends more at once is not about that.
            "LAMBDA_ACCOUNT_CONCURRENCY": "100",
        },
    )
    _await("MiniStack", process, f"{endpoint}/_ministack/health", slot.logs / "ministack.log")
    return endpoint


def start_simulated_stripe(
    slot: Slot, processes: Processes, binary: Path, port: int, key: str, mode: str, account: str
) -> str:
    """Starts a Stripe of our own on the port; gives its address."""
    # A copy: its path is in the slot's folder, and a later build can replace the original while this one runs.
    copy = _copy_of_stripe(slot)
    shutil.copy2(binary, copy)
    base = f"http://127.0.0.1:{port}"
    process = processes.start(
        "simulated-stripe",
        [str(copy)],
        bare_environment(slot) | {"PORT": str(port), "KEY": key, "MODE": mode, "ACCOUNT": account},
    )
    _await("the simulated Stripe", process, f"{base}/v1/webhook_endpoints", slot.logs / "simulated-stripe.log")
    return base


def simulated_stripe_is_old(slot: Slot, binary: Path) -> bool:
    """Whether the one that runs is another build than this."""
    copy = _copy_of_stripe(slot)
    return copy.exists() and not filecmp.cmp(copy, binary, shallow=False)


def _copy_of_stripe(slot: Slot) -> Path:
    return slot.folder / "simulated-stripe"


def _await(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Waits until the server answers anything at all, or says why it does not."""

    def answers() -> bool:
        if process.poll() is not None:
            raise Trouble(f"{name} ended at once; its log {log} ends with:\n{tail(log)}")
        try:
            return client.send("GET", url, timeout=2).status > 0
        except (urllib.error.URLError, OSError):
            return False

    try:
        client.until(answers, bool, READY_S, pause=0.1)
    except TimeoutError:
        raise Trouble(f"{name} did not answer within {READY_S:g} seconds; see {log}") from None
