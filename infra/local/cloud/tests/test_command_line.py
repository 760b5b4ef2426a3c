"""What ends a command early is one line, and its clean-up is never cut short. Needs no stack."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from localcloud import build, command_line, demo, settings, signals, stack
from localcloud.processes import Processes
from localcloud.progress import Reporter
from localcloud.settings import StackPaths, UserError


@pytest.fixture(autouse=True)
def signals_restored() -> Iterator[None]:
    """Restores pytest's own handling of signals."""
    before = {number: signal.getsignal(number) for number in signals.INTERRUPTS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    """The paths of a stack in a folder of the test's own."""
    monkeypatch.setattr(settings, "LOCAL", tmp_path)
    return StackPaths("test")


def failing(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("port 80 is in use"), "up: port 80 is in use"),
        (OSError(28, "No space left on device"), "up: [Errno 28] No space left on device"),
        (TimeoutError("not within 60 seconds"), "up: not within 60 seconds"),
        (
            subprocess.CalledProcessError(
                101, ["cargo", "metadata"], stderr="warning: x\nerror: no manifest\n"
            ),
            "up: `cargo metadata` failed with exit code 101: error: no manifest",
        ),
        (
            subprocess.CalledProcessError(1, ["python", "-m", "ensurepip"], output=b"no pip\n"),
            "up: `python -m ensurepip` failed with exit code 1: no pip",
        ),
        (
            subprocess.TimeoutExpired(["ps"], 10),
            "up: Command '['ps']' timed out after 10 seconds",
        ),
    ],
)
def test_an_error_from_outside_is_one_line(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.run("up", lambda: failing(error)) == 1
    assert capsys.readouterr() == ("", f"{line}\n")


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        command_line.run("up", lambda: failing(KeyError("ours")))


@pytest.mark.parametrize("number", signals.INTERRUPTS)
def test_an_interrupt_is_one_line_and_the_clean_up_is_done_whole(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def command() -> int:
        try:
            signal.raise_signal(number)
        finally:
            for again in signals.INTERRUPTS:
                signal.raise_signal(again)
            cleaned.append("up")
        return 0

    assert command_line.run("up", command) == 130
    assert capsys.readouterr() == ("", "up: interrupted\n")
    assert cleaned == ["up"]


def test_what_is_ignored_from_the_start_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def command() -> int:
        with signals.deferred():
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        return 0

    assert command_line.run("up", command) == 0


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://localhost:1"),
        ClientError({"Error": {"Code": "InternalError", "Message": "disk full"}}, "CreateBucket"),
    ],
)
def test_an_error_of_boto3_is_one_for_the_user(
    paths: StackPaths, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(build, "build", lambda *_: failing(error))
    with pytest.raises(UserError, match=r"^the local AWS failed: "):
        stack.up(paths, settings.free_port(), Reporter())
    assert not paths.root.exists()


def interrupted_while_ending(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Presses Ctrl-C while processes are ended; returns a list that says how often they were ended whole."""
    ended = []

    def stop_all(_processes: Processes) -> int:
        signal.raise_signal(signal.SIGINT)
        ended.append("whole")
        return 0

    monkeypatch.setattr(Processes, "stop_all", stop_all)
    return ended


def test_ctrl_c_while_a_failed_start_is_cleaned_up_leaves_nothing(
    paths: StackPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail_to_build(*_: object) -> int:
        interrupted_while_ending(monkeypatch)
        raise UserError("no build")

    monkeypatch.setattr(build, "build", fail_to_build)

    def command() -> int:
        stack.up(paths, settings.free_port(), Reporter())
        return 0

    assert command_line.run("up", command) == 130
    assert capsys.readouterr().err == "up: interrupted\n"
    assert not paths.root.exists()


def test_ctrl_c_while_the_demo_ends_leaves_nothing_and_says_so(
    paths: StackPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail_to_start(*_: object) -> int:
        StackPaths("demo").root.mkdir(parents=True)
        interrupted_while_ending(monkeypatch)
        raise OSError("no start")

    monkeypatch.setattr(stack, "up", fail_to_start)
    assert command_line.run("demo", demo.main) == 130
    assert "Nothing is left running." in capsys.readouterr().out
    assert not StackPaths("demo").root.exists()


@pytest.mark.parametrize("module", ["localcloud", "localcloud.venv"])
def test_commands_need_nothing_but_the_standard_library_to_start(module: str) -> None:
    # -I -S: without what is installed. `make down` and the installation itself run so.
    folder = Path(command_line.__file__).parents[1]
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}.__main__"
    if module == "localcloud.venv":
        script = script.removesuffix(".__main__")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
