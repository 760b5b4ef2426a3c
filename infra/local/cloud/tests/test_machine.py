"""On a machine that cannot run the local cloud, one line says what is needed, before anything is done."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from localcloud.settings import ROOT

# The programs of which a test may have another.
REPLACED = ["cargo", "rustc", "python3", "cc", "ps", "uname", "id"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: the shell's own programs, and a stand-in for each of the others.

    A stand-in succeeds, and notes that it was called.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dirname", "grep", "sed", "make", "echo", "touch", "rm", "mkdir"):
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    for name in REPLACED:
        install(folder, name, f'echo {name} >> "{tmp_path}/called"')
    install(folder, "uname", "[ $1 = -m ] && echo x86_64 || echo Linux")
    install(folder, "rustc", "echo rustc 1.999.0")
    return folder


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def check(path: Path, *arguments: str) -> tuple[int, list[str]]:
    """Runs the check of the machine; returns its exit code and lines."""
    script = ROOT / "infra" / "local" / "cloud" / "check-machine.sh"
    done = subprocess.run(
        ["sh", str(script), *arguments], env={"PATH": str(path)}, capture_output=True, text=True, timeout=30
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_machine_that_has_all_gets_no_line(path: Path) -> None:
    assert check(path, "--local-cloud") == (0, [])


@pytest.mark.parametrize("system", ["Darwin", "MINGW64_NT-10.0-22631", "FreeBSD"])
@pytest.mark.parametrize("target", ["demo", "up", "end-to-end"])
def test_without_linux_one_line_names_the_container_and_nothing_is_done(
    path: Path, tmp_path: Path, system: str, target: str
) -> None:
    install(path, "uname", f"[ $1 = -m ] && echo arm64 || echo {system}")
    done = subprocess.run(
        ["make", target], cwd=ROOT, env={"PATH": str(path)}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    assert done.stdout == ""
    # The other line is make's own.
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert line == (
        f"make: the local cloud needs Linux, and this is {system}; with Docker, this opens a shell where "
        'it runs: docker build -t billhook .devcontainer && docker run --rm -it -v "$PWD:/billhook" billhook'
    )
    assert not (tmp_path / "called").exists()


def test_the_container_is_described_as_the_line_has_it() -> None:
    script = (ROOT / "infra" / "local" / "cloud" / "check-machine.sh").read_text()
    command = re.search("^in_container='(.*)'$", script, re.M)
    assert command
    assert command[1] in (ROOT / ".devcontainer" / "Dockerfile").read_text()


def test_the_demo_says_what_it_does_before_a_rustup_may_fetch_rust(path: Path) -> None:
    install(path, "rustc", "echo 'could not fetch' >&2; exit 1")
    done = subprocess.run(
        ["make", "demo"], cwd=ROOT, env={"PATH": str(path)}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    assert done.stdout.startswith("Billhook demo: ")
    first, second = done.stderr.splitlines()[:2]
    assert first == "could not fetch"
    assert second.startswith("make: rustc does not start")
    assert second.endswith("needs network")


def test_without_linux_the_tools_for_linting_and_deploying_can_still_be_had(path: Path) -> None:
    install(path, "uname", "[ $1 = -m ] && echo arm64 || echo Darwin")
    assert check(path) == (0, [])


def test_an_architecture_that_lambda_does_not_have_is_named(path: Path) -> None:
    install(path, "uname", "[ $1 = -m ] && echo riscv64 || echo Linux")
    code, (line,) = check(path, "--local-cloud")
    assert (code, "riscv64" in line) == (1, True)


def test_all_missing_programs_are_named_in_one_line(path: Path) -> None:
    for name in ("cargo", "cc", "ps"):
        (path / name).unlink()
    code, (line,) = check(path, "--local-cloud")
    assert code == 1
    assert line.startswith("make: missing on this machine: cargo cc ps (")


def test_a_python_without_venv_is_named(path: Path) -> None:
    install(path, "python3", 'case $2 in *ensurepip*) echo "no module" >&2; exit 1;; esac')
    code, (line,) = check(path)
    assert (code, "python3-venv" in line) == (1, True)


def test_a_rust_that_is_too_old_is_named(path: Path) -> None:
    install(path, "rustc", "echo 'rustc 1.70.0 (90c541806 2023-05-31)'")
    code, (line,) = check(path)
    assert (code, "rustc 1.70.0" in line) == (1, True)


def test_toolchain_manifest_and_container_name_one_version_of_rust() -> None:
    toolchain = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    image = re.search(r"^FROM rust:([0-9.]+)-", (ROOT / ".devcontainer" / "Dockerfile").read_text(), re.M)
    assert image
    assert image[1] == toolchain["channel"]
    assert toolchain["channel"].rpartition(".")[0] == manifest["rust-version"]


def test_each_target_of_the_makefile_is_in_its_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert declared
    # These are steps of the others.
    targets = set(declared[1].split()) - {"help", "machine", "tools", "cloud", "browser"}
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30).stdout
    assert set(re.findall(r"^  make ([a-z0-9-]+)", shown, re.M)) == targets


@pytest.mark.parametrize("is_there", [True, False])
def test_before_a_deployment_the_target_of_its_architecture_must_be_there(
    path: Path, tmp_path: Path, is_there: bool
) -> None:
    library = tmp_path if is_there else tmp_path / "none"
    install(path, "rustc", f"[ $1 = --version ] && echo rustc 1.999.0 || {{ echo $4 >&2; echo {library}; }}")
    code, lines = check(path, "--aws=test")
    assert lines[:1] == ["aarch64-unknown-linux-gnu"]
    remedy = "make: Rust cannot build for arm64 yet: rustup target add aarch64-unknown-linux-gnu"
    assert (code, lines[1:]) == ((0, []) if is_there else (1, [remedy]))


def test_a_deployment_that_samconfig_does_not_know_is_refused_by_name(path: Path) -> None:
    line = "make: samconfig.toml has no section for ENV=stage; copy those of test"
    assert check(path, "--aws=stage") == (1, [line])


def test_building_and_deploying_read_the_same_parameters() -> None:
    # SAM builds for the Architecture that it reads, and Lambda refuses programs of another only when they
    # start.
    recipe = (ROOT / "Makefile").read_text().split("\ndeploy: tools page\n")[1].split("\n\n")[0]
    for command in ("$(SAM) build", "$(SAM) deploy"):
        assert f"{command} --config-env $(ENV)" in recipe
    sections = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for name in ("test", "live"):
        assert "Mode=" in sections[name]["global"]["parameters"]["parameter_overrides"]
        assert "parameter_overrides" not in sections[name]["deploy"]["parameters"]


def get_chromium(path: Path) -> tuple[int, list[str]]:
    """Runs what gets the browser; returns its exit code and lines."""
    script = ROOT / "infra" / "local" / "cloud" / "get-chromium.sh"
    done = subprocess.run(
        ["sh", str(script)], env={"PATH": str(path)}, capture_output=True, text=True, timeout=30
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_browser_that_is_there_is_taken(path: Path, tmp_path: Path) -> None:
    install(path, "chromium", f'echo chromium >> "{tmp_path}/called"')
    assert get_chromium(path) == (0, [])


@pytest.mark.parametrize("user", ["0", "1000"])
def test_without_a_browser_one_line_says_how_to_get_it(path: Path, user: str) -> None:
    install(path, "id", f"echo {user}")
    code, lines = get_chromium(path)
    assert code == 1
    assert lines == [
        "make: the tests of the console need Chromium (on Debian: apt-get install chromium fonts-dejavu-core)"
    ]


def test_on_debian_root_gets_a_browser_without_being_asked(path: Path, tmp_path: Path) -> None:
    install(path, "id", "echo 0")
    install(path, "apt-get", f'echo "$*" >> "{tmp_path}/called"')
    code, _ = get_chromium(path)
    assert code == 0
    assert "chromium" in (tmp_path / "called").read_text()
