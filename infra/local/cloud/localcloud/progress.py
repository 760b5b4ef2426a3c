"""How far a long step is: one line that changes on a terminal, a line each ten per cent in a log."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

# On a log, steps that are done at once (nothing to compile) are not counted aloud.
QUIET_S = 3.0


class Reporter:
    """Prints the steps of a command as they begin."""

    def __init__(self, indent: str = "", stream: TextIO | None = None) -> None:
        """Prints to standard output if no stream is given."""
        self._indent = indent
        self._stream = stream or sys.stdout
        self.on_terminal = self._stream.isatty()

    def __call__(self, line: str) -> None:
        """Prints a line, in place of the one that `update` has left."""
        self.update(line)
        print(flush=True, file=self._stream)

    def update(self, line: str) -> None:
        """Writes a line that the next one replaces on a terminal."""
        # Back to the line's start, and clear what is longer.
        start, end = ("\r", "\x1b[K") if self.on_terminal else ("", "")
        print(f"{start}{self._indent}· {line}{end}", end="", flush=True, file=self._stream)


class Progress:
    """Counts what is done of a known total."""

    def __init__(
        self, report: Reporter, doing: str, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Describes the count as `doing`: "crates compiled", for example."""
        self._report = report
        self._doing = doing
        self._total = total
        self._clock = clock
        self._began = clock()
        self._printed_tenths = 0
        self.done = 0

    def advance(self) -> None:
        """Counts one more as done."""
        self.done += 1
        # The count is what happens, the total was worked out before: the total gives way.
        self._total = max(self._total, self.done)
        tenths = 10 * self.done // self._total
        line = f"{self.done} of {self._total} {self._doing} ({100 * self.done // self._total} %)"
        if self._report.on_terminal:
            self._report.update(line)
        elif tenths > self._printed_tenths and self._clock() - self._began >= QUIET_S:
            self._printed_tenths = tenths
            self._report(line)

    @property
    def seconds(self) -> float:
        """Time since it began."""
        return self._clock() - self._began
