"""What the built functions must have, however they are built; and what is said where they cannot be built."""

import io
import os
import re
import tomllib
from pathlib import Path

import pytest

from localcloud import settings
from localcloud.build import build, built_binary
from localcloud.progress import Reporter
from localcloud.settings import ROOT, StackPaths, UserError
from localcloud.stack import Stack


@pytest.mark.parametrize(
    ("error", "is_network"),
    [
        ("warning: spurious network error (1 try remaining): [6] Could not resolve host", True),
        ("error[E0308]: mismatched types", False),
    ],
)
def test_without_network_the_error_says_so_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, is_network: bool
) -> None:
    cargo = tmp_path / "cargo"
    cargo.write_text(f"#!/bin/sh\necho '{error}' >&2\nexit 101\n")
    cargo.chmod(0o755)
    monkeypatch.setattr(settings, "LOCAL", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UserError) as raised:
        build(StackPaths("test"), Reporter(stream=io.StringIO()))
    assert str(raised.value).startswith("needs network: ") == is_network
    assert str(raised.value).endswith(error)


def test_a_panic_unwinds() -> None:
    # cargo-lambda sets `panic = "abort"` where the profile says nothing. Then one poisoned request would kill
    # the process, instead of being answered with an error by Lambda's runtime.
    profiles = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]
    assert profiles["release"].get("panic") == "unwind"


def test_the_jitter_entropy_of_aws_lc_is_left_out(stack: Stack) -> None:
    # It would cost half a second of a small function's cold start. The program's symbols show it.
    program = built_binary(StackPaths("test"), "receive").read_bytes()
    assert re.search(rb"aws_lc_[0-9_]+", program), "the symbols are stripped, so this test cannot see them"
    assert not re.search(rb"jent_[a-z]+", program)
