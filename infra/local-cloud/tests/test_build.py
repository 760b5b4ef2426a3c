"""What the way of building must not do to the functions."""

import tomllib

from localcloud.surroundings import ROOT


def test_a_panic_unwinds() -> None:
    # cargo-lambda sets `panic = "abort"` where the profile says nothing. Then one poisoned request would kill the
    # process, instead of being answered with an error by Lambda's runtime.
    profiles = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]
    assert profiles["release"].get("panic") == "unwind"
