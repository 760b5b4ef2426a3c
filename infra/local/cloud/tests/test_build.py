"""What the way of building must not do to the functions."""

import re
import tomllib

from localcloud.build import built_binary
from localcloud.stack import Stack
from localcloud.surroundings import ROOT, Slot


def test_a_panic_unwinds() -> None:
    # cargo-lambda sets `panic = "abort"` where the profile says nothing. Then one poisoned request would kill the
    # process, instead of being answered with an error by Lambda's runtime.
    profiles = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]
    assert profiles["release"].get("panic") == "unwind"


def test_the_jitter_entropy_of_aws_lc_is_left_out(stack: Stack) -> None:
    # It would cost half a second of a small function's cold start. The names of the program's symbols tell.
    program = built_binary(Slot("test"), "receive").read_bytes()
    assert re.search(rb"aws_lc_[0-9_]+", program), "the symbols are stripped, so nothing can be told"
    assert not re.search(rb"jent_[a-z]+", program)
