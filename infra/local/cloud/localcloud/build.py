"""Builds the functions with SAM, as for AWS, but fast and for this machine.

The template is not touched: SAM always asks `cargo lambda` for a release build, so the settings of Cargo's profile
`local` are given to Cargo as the release profile's, by environment variables.
"""

import contextlib
import json
import platform
import subprocess
import time
import tomllib
from pathlib import Path

from .processes import tail
from .surroundings import ROOT, SAM_HOME, Slot, Trouble, environment

# A cold build of everything, the AWS SDK included, on a slow machine.
BUILD_S = 45 * 60.0

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """This machine's, in the template's words."""
    if platform.system() != "Linux":
        raise Trouble("the local stack runs the functions themselves, which are Linux programs: it needs Linux")
    return ARCHITECTURES.get(platform.machine()) or _unknown_machine()


def _unknown_machine() -> str:
    raise Trouble(f"Lambda has no architecture {platform.machine()}, so the functions cannot run here")


def build(slot: Slot) -> Path:
    """Builds everything; gives the built template, which lies beside the built functions."""
    settings = _settings(slot)
    log = slot.logs / "build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    # All at once first: SAM builds one function after the other, and then finds each one done. A cold build takes
    # minutes, so this one is shown.
    _run(["cargo", "lambda", "build", "--release", "--bins"], settings, None)
    output = slot.folder / "build"
    _run(
        ["sam", "build", "--build-dir", str(output), "--parameter-overrides", f"Architecture={architecture()}"],
        settings,
        log,
    )
    return output / "template.yaml"


def built_binary(slot: Slot, name: str) -> Path:
    """A program of the workspace that is no function, from the same build."""
    asked = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"],
        cwd=ROOT, env=environment(slot), capture_output=True, text=True, check=True, timeout=60,
    )
    binary = Path(json.loads(asked.stdout)["target_directory"]) / "lambda" / name / "bootstrap"
    if not binary.exists():
        raise Trouble(f"the workspace has no program {name}")
    return binary


def _settings(slot: Slot) -> dict[str, str]:
    """The environment of the build: Cargo's profile `local` in place of `release`."""
    # Keeps SAM from asking the network for a newer version of itself.
    SAM_HOME.mkdir(parents=True, exist_ok=True)
    (SAM_HOME / "metadata.json").write_text(json.dumps({"telemetryEnabled": False, "lastVersionCheck": time.time()}))
    profile = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]["local"]
    as_release = {
        f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": str(value).lower()
        for key, value in profile.items()
        if key != "inherits"
    }
    # The machine's own linker: the other one, zig's, is for building one architecture on another.
    return environment(slot) | as_release | {"CARGO_LAMBDA_COMPILER": "cargo"}


def _run(command: list[str], settings: dict[str, str], log: Path | None) -> None:
    """Runs one command, its output into the log or, without one, before the person who waits."""
    output = open(log, "ab") if log else contextlib.nullcontext(None)
    with output as file:
        try:
            ended = subprocess.run(
                command, cwd=ROOT, env=settings, stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.STDOUT if log else None, timeout=BUILD_S,
            )
        except FileNotFoundError:
            raise Trouble(f"{command[0]} is missing") from None
        except subprocess.TimeoutExpired:
            raise Trouble(f"`{' '.join(command)}` took over {BUILD_S / 60:g} minutes") from None
    if ended.returncode != 0:
        raise Trouble(f"`{' '.join(command)}` failed" + (f"; {log} ends with:\n{tail(log, 40)}" if log else ""))
