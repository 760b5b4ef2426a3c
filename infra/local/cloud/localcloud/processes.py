"""Starts processes that outlive the command that starts them, and later ends exactly those.

Each is the leader of a process group of its own, so whatever it starts in turn (MiniStack runs every function as a
process) is in that group. A number alone proves nothing, since the system uses it again: a process is ours only if its
group was recorded *and* its command line names the slot's folder.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .surroundings import Slot

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Process:
    """One line of the system's process table."""

    pid: int
    group: int
    command: str


class Processes:
    """The processes of one slot, kept in a file of its folder."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._record = slot.folder / "processes.json"

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Starts a command in the background; the command line must name the slot's folder."""
        assert any(str(self._slot.folder) in word for word in command), command
        self._slot.logs.mkdir(parents=True, exist_ok=True)
        with open(self._slot.logs / f"{name}.log", "wb") as log, _undisturbed():
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=self._slot.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._write(self._read() | {name: process.pid})
        return process

    def all_alive(self) -> bool:
        """Whether each process that was started still runs."""
        started = set(self._read().values())
        return bool(started) and started <= {process.pid for process in self._ours()}

    def stop_all(self) -> int:
        """Ends all of them and what they started; says how many processes that were."""
        found = self._ours()
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for process in self._ours():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, sent)
            deadline = time.monotonic() + PATIENCE_S
            while self._ours() and time.monotonic() < deadline:
                time.sleep(0.05)
        return len(found)

    def _ours(self) -> list[Process]:
        groups = set(self._read().values())
        folder = str(self._slot.folder)
        return [process for process in _table() if process.group in groups and folder in process.command]

    def _read(self) -> dict[str, int]:
        try:
            return json.loads(self._record.read_text())
        except FileNotFoundError:
            return {}

    def _write(self, record: Mapping[str, int]) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(record))
        fresh.replace(self._record)


def _table() -> list[Process]:
    """All processes that still run; one that has ended and waits for its parent does not."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True, timeout=10
    ).stdout
    processes = []
    for line in listing.splitlines():
        pid, group, state, *command = line.split(None, 3)
        if not state.startswith("Z"):
            processes.append(Process(int(pid), int(group), "".join(command)))
    return processes


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Puts off Ctrl-C and the like until the end, so that nothing is started without being recorded."""
    late: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _: late.append(number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in late:
        signal.raise_signal(number)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, for a person to read."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"
