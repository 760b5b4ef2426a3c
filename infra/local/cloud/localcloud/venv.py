"""Makes a virtual environment from a list of pinned packages: ``python3 -m localcloud.venv FOLDER LIST``.

Runs on the machine's own Python, before anything is installed, so it uses the standard library alone.
"""

import os
import re
import subprocess
import sys
import venv
from collections import deque
from pathlib import Path

from .progress import Progress, Reporter


def main() -> int:
    """Makes the environment, in place of one that is there; returns the exit code."""
    folder, requirements = Path(sys.argv[1]), Path(sys.argv[2])
    report = Reporter()
    total = count_pins(requirements.read_text())
    report(f"installing {total} Python packages into {folder}, about a minute")
    venv.EnvBuilder(with_pip=True, clear=True).create(folder)
    failure = _install(folder, requirements, Progress(report, "packages fetched", total), report)
    if failure:
        print(f"make: pip could not install {requirements}; it ended with:\n{failure}", file=sys.stderr)
        return 1
    return 0


def count_pins(requirements: str) -> int:
    """Returns the number of packages in a list as `pip freeze` writes it."""
    return sum(1 for line in requirements.splitlines() if line.strip() and not line.startswith("#"))


def collected_package(line: str) -> str | None:
    """Returns the package that a line of pip's output says is fetched now, by its one spelling."""
    # pip names a package again, with its extras, where others depend on those.
    found = re.match(r"Collecting ([A-Za-z0-9._-]+)", line)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else None


def _install(folder: Path, requirements: Path, progress: Progress, report: Reporter) -> str | None:
    """Runs pip; returns the end of its output if it failed."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    last_lines: deque[str] = deque(maxlen=20)
    collected: set[str] = set()
    with subprocess.Popen(
        [*command, "--progress-bar", "off", "--requirement", str(requirements)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        assert pip.stdout
        for line in pip.stdout:
            last_lines.append(line)
            package = collected_package(line)
            if package and package not in collected:
                collected.add(package)
                progress.advance()
            elif line.startswith("Installing collected packages"):
                report(f"all {progress.done} fetched; unpacking them")
    return "".join(last_lines) if pip.returncode else None


if __name__ == "__main__":
    sys.exit(main())
