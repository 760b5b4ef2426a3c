"""The ends of logs, and what they say of the network."""

from pathlib import Path

# What pip and Cargo print when they give up on a server that they cannot reach.
UNREACHABLE = ("Retry(total=0", "Max retries exceeded", "ReadTimeoutError", "spurious network error")


def tail(log: Path, lines: int = 15) -> str:
    """Returns the last lines of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


def says_unreachable(output: str) -> bool:
    """Whether pip or Cargo failed because the package registry could not be reached."""
    return any(sign in output for sign in UNREACHABLE)
