"""Makes a virtual environment from a list of pinned packages: ``python3 -m localcloud.venv FOLDER LIST``.

One that is there is kept if it was made from the same list, for this machine and folder, and its Python runs.
A second command waits until the first one has made it. Runs on the machine's own Python, before anything is
installed, so it uses the standard library alone.
"""

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from . import command_line
from .logs import says_unreachable
from .progress import Progress, Reporter
from .settings import UserError


def main() -> int:
    """Makes the environment unless it is there; returns the exit code."""
    folder, requirements = Path(sys.argv[1]), Path(sys.argv[2])
    ensure(folder, requirements, Reporter(), _make)
    return 0


def ensure(
    folder: Path, requirements: Path, report: Reporter, make: Callable[[Path, Path, Reporter], None]
) -> None:
    """Makes the environment by `make`, unless it is there; only one command at a time does so."""
    with _locked(folder, report):
        stamp = folder / "made"
        expected = _stamp(folder, requirements)
        if stamp.exists() and stamp.read_text() == expected and _runs(folder):
            return
        # First, so that what is left of an interrupted attempt is never taken for whole.
        stamp.unlink(missing_ok=True)
        make(folder, requirements, report)
        stamp.write_text(expected)


def count_pins(requirements: str) -> int:
    """Returns the number of packages in a list as `pip freeze` writes it."""
    return sum(1 for line in requirements.splitlines() if line.strip() and not line.startswith("#"))


def collected_package(line: str) -> str | None:
    """Returns the package that a line of pip's output says is fetched now, by its one spelling."""
    # pip names a package again, with its extras, where others depend on those.
    found = re.match(r"Collecting ([A-Za-z0-9._-]+)", line)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else None


@contextlib.contextmanager
def _locked(folder: Path, report: Reporter) -> Iterator[None]:
    """Waits for another command that is at it; the system releases the lock however a command ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another command that installs into {folder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp(folder: Path, requirements: Path) -> str:
    """Returns what an environment depends on; its programs name its folder, by the whole path."""
    return f"{sysconfig.get_platform()}\n{folder.resolve()}\n{requirements.read_text()}"


def _runs(folder: Path) -> bool:
    """Whether the environment's Python runs, and finds what is installed for it."""
    command = [str(folder / "bin" / "python"), "-c", "import pip"]
    try:
        done = subprocess.run(command, env=_environment(), capture_output=True, timeout=60)
    except OSError:
        return False
    return done.returncode == 0


def _make(folder: Path, requirements: Path, report: Reporter) -> None:
    """Makes the environment and installs the packages."""
    total = count_pins(requirements.read_text())
    report(f"installing {total} Python packages into {folder}, about a minute")
    venv.EnvBuilder(with_pip=True, clear=True).create(folder)
    _install(folder, requirements, Progress(report, "packages fetched", total), report)


def _install(folder: Path, requirements: Path, progress: Progress, report: Reporter) -> None:
    """Runs pip."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    last_lines: deque[str] = deque(maxlen=20)
    collected: set[str] = set()
    with subprocess.Popen(
        [*command, "--progress-bar", "off", "--requirement", str(requirements)],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        try:
            assert pip.stdout
            for line in pip.stdout:
                last_lines.append(line)
                package = collected_package(line)
                if package and package not in collected:
                    collected.add(package)
                    progress.advance()
                elif line.startswith("Installing collected packages"):
                    report(f"all {progress.done} fetched; unpacking them")
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise failure(requirements, "".join(last_lines))


def failure(requirements: Path, output: str) -> UserError:
    """Returns the error for what pip printed at last."""
    if says_unreachable(output):
        reason = f"needs network: pip cannot reach the package registry to install {requirements}"
    else:
        reason = f"pip could not install {requirements}"
    return UserError(f"{reason}; it ended with:\n{output.rstrip()}")


def _environment() -> dict[str, str]:
    """Returns the user's environment, without the path to this package."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


if __name__ == "__main__":
    sys.exit(command_line.run("make", main))
