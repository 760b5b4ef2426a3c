"""Builds the functions with SAM, as for AWS, but fast and for this machine.

The template is not changed: SAM always asks `cargo lambda` for a release build, so the settings of Cargo's
profile `local` are given to Cargo as the release profile's, by environment variables.
"""

import json
import platform
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path

from .logs import says_unreachable, tail
from .progress import Progress, Reporter
from .settings import ROOT, SAM_HOME, StackPaths, UserError, build_environment

# A cold build of everything, the AWS SDK included, on a slow machine.
BUILD_TIMEOUT_S = 45 * 60.0

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Returns this machine's architecture in the template's terms."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise UserError(f"Lambda has no architecture {machine}, so the functions cannot run here")
    return ARCHITECTURES[machine]


def build(paths: StackPaths, report: Reporter) -> Path:
    """Builds everything; returns the built template, which is in one folder with the built functions."""
    environment = _environment(paths)
    log = paths.logs / "build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    # All functions at once: SAM builds one after the other, and then finds each one done.
    _compile(environment, log, report)
    folder = paths.root / "build"
    report("packaging the functions (sam build)")
    parameters = ["--parameter-overrides", f"Architecture={architecture()}"]
    _run(["sam", "build", "--build-dir", str(folder), *parameters], environment, log)
    return folder / "template.yaml"


def built_binary(paths: StackPaths, name: str) -> Path:
    """Returns a program of the workspace from the same build; it need not be a function."""
    listed = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"],
        cwd=ROOT,
        env=build_environment(paths),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    binary = Path(json.loads(listed.stdout)["target_directory"]) / "lambda" / name / "bootstrap"
    if not binary.exists():
        raise UserError(f"the workspace has no program {name}")
    return binary


def count_crates(tree: str) -> int:
    """Returns the number of different crates in what `cargo tree --prefix none --format {p}` prints."""
    # Name and version; what follows says where a crate is, and that it was listed before.
    return len({tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()})


def count_compiled(messages: Iterable[str], progress: Progress) -> int:
    """Follows Cargo's messages (a JSON object a line) and counts crates as they are done.

    Returns how many of them were compiled now; the others were there from an earlier build.
    """
    done: set[str] = set()
    compiled: set[str] = set()
    for line in messages:
        if not line.startswith("{"):
            continue
        message = json.loads(line)
        # A build script is compiled first, and its crate after that.
        if message["reason"] != "compiler-artifact" or "custom-build" in message["target"]["kind"]:
            continue
        crate = message["package_id"]
        if not message["fresh"]:
            compiled.add(crate)
        if crate not in done:
            done.add(crate)
            progress.advance()
    return len(compiled)


def _compile(environment: dict[str, str], log: Path, report: Reporter) -> None:
    """Compiles the workspace's default members: the functions and the simulated Stripe."""
    report("counting the crates to compile (and fetching their sources, the first time)")
    tree = ["cargo", "tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]
    total = count_crates(_run(tree, environment, log))
    progress = Progress(report, "crates done", total)
    command = [
        "cargo",
        "lambda",
        "build",
        "--release",
        "--bins",
        "--message-format",
        "json-render-diagnostics",
    ]
    with (
        open(log, "ab") as output,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        ) as cargo,
    ):
        limit = threading.Timer(BUILD_TIMEOUT_S, cargo.kill)
        limit.start()
        try:
            assert cargo.stdout
            compiled = count_compiled(cargo.stdout, progress)
        except BaseException:
            cargo.kill()
            raise
        finally:
            limit.cancel()
    if progress.seconds >= BUILD_TIMEOUT_S:
        raise _timeout(command)
    if cargo.returncode != 0:
        report(f"failed after {progress.done} crates")
        raise _failure(command, log)
    if compiled:
        report(f"{compiled} of {progress.done} crates compiled, in {progress.seconds:.0f} seconds")
    else:
        report(f"nothing to compile: all {progress.done} crates are there from an earlier build")


def _run(command: list[str], environment: dict[str, str], log: Path) -> str:
    """Runs a command, with its errors in the log; returns its output."""
    with open(log, "ab") as errors:
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=BUILD_TIMEOUT_S,
            )
        except FileNotFoundError:
            raise UserError(f"{command[0]} is missing") from None
        except subprocess.TimeoutExpired:
            raise _timeout(command) from None
        errors.write(done.stdout.encode())
    if done.returncode != 0:
        raise _failure(command, log)
    return done.stdout


def _timeout(command: list[str]) -> UserError:
    return UserError(f"`{' '.join(command)}` took over {BUILD_TIMEOUT_S / 60:g} minutes")


def _failure(command: list[str], log: Path) -> UserError:
    end = tail(log, 40)
    reason = "needs network: Cargo cannot reach the package registry, and " if says_unreachable(end) else ""
    return UserError(f"{reason}`{' '.join(command)}` failed; {log} ends with:\n{end}")


def _environment(paths: StackPaths) -> dict[str, str]:
    """Returns the environment of the build: Cargo's profile `local` in place of `release`."""
    # Keeps SAM from asking the network for a newer version of itself.
    SAM_HOME.mkdir(parents=True, exist_ok=True)
    (SAM_HOME / "metadata.json").write_text(
        json.dumps({"telemetryEnabled": False, "lastVersionCheck": time.time()})
    )
    profile = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]["local"]
    as_release = {
        f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": str(value).lower()
        for key, value in profile.items()
        if key != "inherits"
    }
    # The machine's own linker: the other one, zig's, is for building one architecture on another.
    return build_environment(paths) | as_release | {"CARGO_LAMBDA_COMPILER": "cargo"}
