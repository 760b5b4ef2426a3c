"""Paths, ports and environments of everything that is started here."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
LOCAL = ROOT / ".local"
TOOLS = LOCAL / "tools"
MINISTACK = LOCAL / "ministack"
SAM_HOME = LOCAL / "sam"

REGION = "us-east-1"
# Made up; MiniStack takes this key for the account's owner.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class UserError(Exception):
    """An error that the user can correct; its text is the one line they see."""


@dataclass(frozen=True)
class StackPaths:
    """Where one stack keeps its files: ``make up`` has a stack a port, the demo and the tests one each.

    The path of the root also stands in the command line of each process of the stack, by which it is
    recognised.
    """

    name: str

    @property
    def root(self) -> Path:
        """The folder that ``down`` removes."""
        return LOCAL / "stacks" / self.name

    @property
    def logs(self) -> Path:
        """The logs; they outlive ``down``, so that a failure can be looked into."""
        return LOCAL / "logs" / self.name

    @property
    def temporary(self) -> Path:
        """The folder for temporary files, which SAM and MiniStack would leave in the system's."""
        path = self.root / "tmp"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def lock(self) -> Path:
        """The file that is locked while a command works on the stack."""
        return LOCAL / "stacks" / f"{self.name}.lock"


def build_environment(paths: StackPaths) -> dict[str, str]:
    """Returns the environment for build and deployment: the user's, without any of their AWS settings."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("AWS_") or key.startswith("AWS_LC_")
    }
    return (
        kept
        | CREDENTIALS
        | {
            "PATH": f"{TOOLS / 'bin'}{os.pathsep}{kept.get('PATH', '')}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.3",
            "TMPDIR": str(paths.temporary),
            # SAM's own state, which it keeps in the user's home otherwise.
            "__SAM_CLI_APP_DIR": str(SAM_HOME),
            # A proxy that the user has set is not for this machine.
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
        }
    )


def server_environment(paths: StackPaths) -> dict[str, str]:
    """Returns the environment for MiniStack: nothing of the user's, since functions inherit all of it."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TZ") if key in os.environ}
    return (
        kept
        | CREDENTIALS
        | {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "TMPDIR": str(paths.temporary),
            "PYTHONUNBUFFERED": "1",
        }
    )


def is_free(port: int) -> bool:
    """Whether a server could be started on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still being closed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Returns a port that nothing uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
