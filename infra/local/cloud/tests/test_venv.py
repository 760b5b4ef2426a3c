"""The environments under `.local/` are kept only where they work, and made by one command at a time."""

import io
import sysconfig
import threading
from pathlib import Path

import pytest

from localcloud.progress import Reporter
from localcloud.venv import ensure, failure


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "tools.txt"
    path.write_text("six==1.0\n")
    return path


class Maker:
    """Makes an environment that is nothing but a Python, and counts."""

    def __init__(self) -> None:
        """Has made none yet."""
        self.made = 0

    def __call__(self, folder: Path, _requirements: Path, _report: Reporter) -> None:
        """Makes one."""
        self.made += 1
        install_python(folder, "exit 0")


def install_python(folder: Path, script: str) -> None:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def quiet() -> Reporter:
    return Reporter(stream=io.StringIO())


def test_one_that_works_is_kept(tmp_path: Path, requirements: Path) -> None:
    make = Maker()
    for _ in range(2):
        ensure(tmp_path / "tools", requirements, quiet(), make)
    assert make.made == 1


@pytest.mark.parametrize("change", ["list", "machine", "no Python", "Python of another system", "old Python"])
def test_one_that_does_not_fit_or_does_not_run_is_made_again(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    folder, make = tmp_path / "tools", Maker()
    ensure(folder, requirements, quiet(), make)
    match change:
        case "list":
            requirements.write_text("six==2.0\n")
        case "machine":
            monkeypatch.setattr(sysconfig, "get_platform", lambda: "macosx-14.0-arm64")
        case "no Python":
            (folder / "bin" / "python").unlink()
        case "Python of another system":
            (folder / "bin" / "python").write_bytes(b"\xcf\xfa\xed\xfe")
        case "old Python":
            install_python(folder, "exit 1")
    ensure(folder, requirements, quiet(), make)
    assert make.made == 2


def test_one_that_was_moved_is_made_again(tmp_path: Path, requirements: Path) -> None:
    make = Maker()
    ensure(tmp_path / "here" / "tools", requirements, quiet(), make)
    (tmp_path / "here").rename(tmp_path / "there")
    ensure(tmp_path / "there" / "tools", requirements, quiet(), make)
    assert make.made == 2


def test_an_attempt_that_failed_is_never_taken_for_whole(tmp_path: Path, requirements: Path) -> None:
    folder, make, before = tmp_path / "tools", Maker(), requirements.read_text()
    ensure(folder, requirements, quiet(), make)

    def fail(folder: Path, _requirements: Path, _report: Reporter) -> None:
        install_python(folder, "exit 0")
        raise OSError("No space left on device")

    requirements.write_text("six==2.0\n")
    with pytest.raises(OSError, match="No space left"):
        ensure(folder, requirements, quiet(), fail)
    requirements.write_text(before)
    ensure(folder, requirements, quiet(), make)
    assert make.made == 2


def test_a_second_command_waits_for_the_first_and_makes_none(tmp_path: Path, requirements: Path) -> None:
    folder, make = tmp_path / "tools", Maker()
    first_is_at_it, second_waits = threading.Event(), threading.Event()

    class Waiting(Reporter):
        """Notices the line of the one that waits."""

        def __call__(self, line: str) -> None:
            """Takes the line."""
            assert line == f"waiting for another command that installs into {folder}"
            second_waits.set()

    def make_slowly(folder: Path, requirements: Path, report: Reporter) -> None:
        first_is_at_it.set()
        assert second_waits.wait(timeout=30)
        make(folder, requirements, report)

    first = threading.Thread(target=ensure, args=(folder, requirements, quiet(), make_slowly))
    first.start()
    assert first_is_at_it.wait(timeout=30)
    ensure(folder, requirements, Waiting(), make)
    first.join()
    assert make.made == 1


def test_without_network_the_error_says_so_first() -> None:
    output = (
        "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError'\n"
        "ERROR: Could not find a version that satisfies the requirement six==1.0 (from versions: none)\n"
    )
    assert str(failure(Path("tools.txt"), output)).startswith("needs network: ")


def test_another_failure_of_pip_is_not_blamed_on_the_network() -> None:
    output = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    text = str(failure(Path("tools.txt"), output))
    assert "network" not in text
    assert text.endswith("No space left on device")
