"""Runs a command so that whatever ends it early is one line on standard error, and not a traceback.

It is used before anything is installed too, so it needs the standard library alone.
"""

import subprocess
import sys
from collections.abc import Callable

from . import signals
from .settings import UserError


def run(name: str, command: Callable[[], int]) -> int:
    """Runs the command and returns its exit code; only a fault of our own is a traceback."""
    signals.interrupt_once()
    try:
        return command()
    except KeyboardInterrupt:
        # The terminal has written ^C where the cursor was.
        start = "\n" if sys.stderr.isatty() else ""
        print(f"{start}{name}: interrupted", file=sys.stderr)
        return 130
    except (UserError, OSError, subprocess.SubprocessError) as error:
        print(f"{name}: {_text(error)}", file=sys.stderr)
        return 1


def _text(error: Exception) -> str:
    """Returns what an error says, with the end of what a failed program printed."""
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error)
    command = error.cmd if isinstance(error.cmd, str) else " ".join(error.cmd)
    output = error.stderr or error.output or ""
    if isinstance(output, bytes):
        output = output.decode(errors="replace")
    last_lines = output.strip().splitlines()[-1:]
    return ": ".join([f"`{command}` failed with exit code {error.returncode}", *last_lines])
