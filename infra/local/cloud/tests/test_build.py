"""What the built functions must have, however they are built."""

import re
import tomllib

from localcloud.build import built_binary
from localcloud.settings import ROOT, StackPaths
from localcloud.stack import Stack


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
