"""What is shown while a long step runs: counts that are true, and few lines in a log. Needs no stack."""

import io
import json

from localcloud.build import count_compiled, count_crates
from localcloud.progress import Progress, Reporter
from localcloud.venv import collected_package, count_pins


class Terminal(io.StringIO):
    """Standard output as a terminal."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return True


class Clock:
    """A clock that goes on by one second at each look."""

    def __init__(self, seconds_a_look: float = 1.0) -> None:
        """Begins at zero."""
        self.now = 0.0
        self.step = seconds_a_look

    def __call__(self) -> float:
        """Returns the time."""
        self.now += self.step
        return self.now


def artifact(crate: str, kind: str = "lib", fresh: bool = False) -> str:
    return json.dumps(
        {
            "reason": "compiler-artifact",
            "package_id": f"registry+index#{crate}",
            "target": {"kind": [kind], "name": crate},
            "fresh": fresh,
        }
    )


def counted(messages: list[str], total: int) -> tuple[int, int]:
    progress = Progress(Reporter(stream=io.StringIO()), "crates done", total)
    compiled = count_compiled(messages, progress)
    return compiled, progress.done


def test_a_crate_is_counted_once_however_many_targets_it_has() -> None:
    messages = [artifact("ring@1.0.0", "custom-build"), artifact("ring@1.0.0"), artifact("ring@1.0.0", "bin")]
    assert counted(messages, 1) == (1, 1)


def test_a_build_script_alone_is_no_crate_done() -> None:
    assert counted([artifact("ring@1.0.0", "custom-build")], 1) == (0, 0)


def test_two_versions_of_one_crate_are_two() -> None:
    assert counted([artifact("syn@2.0.0"), artifact("syn@3.0.0")], 2) == (2, 2)


def test_crates_of_an_earlier_build_are_done_and_not_compiled() -> None:
    assert counted([artifact("a@1.0.0", fresh=True), artifact("b@1.0.0")], 2) == (1, 2)


def test_what_is_no_message_of_an_artifact_is_passed_over() -> None:
    messages = ["   Compiling a v1.0.0", json.dumps({"reason": "build-finished", "success": True}), ""]
    assert counted(messages, 1) == (0, 0)


def test_the_total_counts_each_crate_of_the_tree_once() -> None:
    tree = "\n".join(
        [
            "receive v0.1.0 (/somewhere/functions/receive)",
            "async-trait v0.1.0 (proc-macro)",
            "syn v2.0.0",
            "",
            "status v0.1.0 (/somewhere/functions/status)",
            "syn v3.0.0",
            "syn v2.0.0 (*)",
            "receive v0.1.0 (/somewhere/functions/receive) (*)",
        ]
    )
    assert count_crates(tree) == 5


def test_the_total_of_packages_is_that_of_the_pins() -> None:
    assert count_pins("# made by pip freeze\nboto3==1.0\n\nsix==1.0\n") == 2


def test_a_package_is_one_by_whatever_spelling_and_extras_pip_names_it() -> None:
    lines = [
        "Collecting boto3-stubs==1.43.126 (from -r tools.txt (line 20))",
        "Collecting boto3_stubs[apigateway,s3]>=1.0 (from aws-sam-cli)",
        "  Using cached boto3_stubs-1.43.126-py3-none-any.whl (70 kB)",
    ]
    assert [collected_package(line) for line in lines] == ["boto3-stubs", "boto3-stubs", None]


def test_a_log_gets_a_line_each_ten_per_cent() -> None:
    log = io.StringIO()
    progress = Progress(Reporter(stream=log), "crates done", 215, clock=Clock(seconds_a_look=9))
    for _ in range(215):
        progress.advance()
    lines = log.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "· 22 of 215 crates done (10 %)"
    assert lines[-1] == "· 215 of 215 crates done (100 %)"


def test_a_log_gets_no_lines_where_all_is_done_at_once() -> None:
    log = io.StringIO()
    progress = Progress(Reporter(stream=log), "crates done", 215, clock=Clock(seconds_a_look=0.001))
    for _ in range(215):
        progress.advance()
    assert log.getvalue() == ""


def test_a_terminal_gets_one_line_that_changes() -> None:
    terminal = Terminal()
    report = Reporter(indent="   ", stream=terminal)
    progress = Progress(report, "crates done", 3)
    for _ in range(3):
        progress.advance()
    report("compiled")
    assert terminal.getvalue().count("\n") == 1
    shown = terminal.getvalue().rstrip("\n").split("\r")
    assert shown[1:] == [
        "   · 1 of 3 crates done (33 %)\x1b[K",
        "   · 2 of 3 crates done (66 %)\x1b[K",
        "   · 3 of 3 crates done (100 %)\x1b[K",
        "   · compiled\x1b[K",
    ]


def test_a_total_that_was_too_small_gives_way() -> None:
    log = io.StringIO()
    progress = Progress(Reporter(stream=log), "crates done", 1, clock=Clock(seconds_a_look=9))
    progress.advance()
    progress.advance()
    assert "2 of 1" not in log.getvalue()
    assert progress.done == 2
