"""Starts processes that outlive the command that starts them, and later ends exactly those.

Each is the leader of a process group of its own, so whatever it starts in turn (MiniStack runs every function
as a process) is in that group. A number alone proves nothing, since the system uses it again: a process
belongs to the stack only if its group was recorded *and* its command line names the stack's folder.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import signals
from .settings import StackPaths

STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Process:
    """One line of the system's process table."""

    pid: int
    group: int
    command: str


class Processes:
    """The processes of one stack, recorded in a file of its folder."""

    def __init__(self, paths: StackPaths) -> None:
        """Reads nothing yet."""
        self._paths = paths
        self._record = paths.root / "processes.json"

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Starts a command in the background; the command line must name the stack's folder."""
        assert any(str(self._paths.root) in word for word in command), command
        self._paths.logs.mkdir(parents=True, exist_ok=True)
        with open(self._paths.logs / f"{name}.log", "wb") as log, signals.deferred():
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=self._paths.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._write(self._read() | {name: process.pid})
        return process

    def all_running(self) -> bool:
        """Whether each process that was started still runs."""
        started = set(self._read().values())
        return bool(started) and started <= {process.pid for process in self._running()}

    def stop_all(self) -> int:
        """Ends all of them and what they started; returns how many processes that were."""
        found = self._running()
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for process in self._running():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, sent)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while self._running() and time.monotonic() < deadline:
                time.sleep(0.05)
        return len(found)

    def _running(self) -> list[Process]:
        groups = set(self._read().values())
        root = str(self._paths.root)
        return [
            process for process in _process_table() if process.group in groups and root in process.command
        ]

    def _read(self) -> dict[str, int]:
        try:
            record: dict[str, int] = json.loads(self._record.read_text())
        except FileNotFoundError:
            return {}
        return record

    def _write(self, record: Mapping[str, int]) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        new = self._record.with_suffix(".new")
        new.write_text(json.dumps(record))
        new.replace(self._record)


def _process_table() -> list[Process]:
    """Returns all processes that still run; one that has ended and waits for its parent does not."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    ).stdout
    processes = []
    for line in listing.splitlines():
        pid, group, state, *command = line.split(None, 3)
        if not state.startswith("Z"):
            processes.append(Process(int(pid), int(group), "".join(command)))
    return processes
