"""Stripe's own command line sees at the simulated Stripe what Billhook says that it made there.

The binary comes from the npm registry, once; where it cannot be had there is nothing to ask with, and the
test is left out.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.settings import LOCAL
from localcloud.stack import Stack

VERSION = "1.52.0"
NAMES = ["cli-one", "cli-two"]


@pytest.fixture(scope="module")
def stripe() -> Path:
    """The path of the `stripe` command."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = LOCAL / "stripe-cli"
    command = folder / "node_modules" / ".bin" / "stripe"
    if not command.exists():
        install = [
            npm,
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            f"@stripe/cli@{VERSION}",
        ]
        folder.mkdir(parents=True, exist_ok=True)
        ended = subprocess.run(install, capture_output=True, text=True, timeout=300)
        if ended.returncode != 0:
            pytest.skip(f"npm does not have it: {ended.stderr[-500:]}")
    return command


@pytest.fixture
def endpoints(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """Two endpoints, one of them changed since."""
    for name in NAMES:
        assert stack.admin_call("POST", "/endpoints", {"name": name, "events": ["invoice.*"]}).status == 201
    assert (
        stack.admin_call(
            "PATCH", f"/endpoints/{NAMES[1]}", {"events": ["invoice.paid"], "disabled": True}
        ).status
        == 200
    )
    yield [
        endpoint
        for endpoint in stack.admin_call("GET", "/endpoints?limit=100").json["data"]
        if endpoint["name"] in NAMES
    ]
    for name in NAMES:
        stack.admin_call("DELETE", f"/endpoints/{name}?confirm={name}")


def test_the_real_command_line_sees_the_same_endpoints(
    stack: Stack, stripe: Path, endpoints: list[dict[str, Any]], tmp_path: Path
) -> None:
    command = [
        str(stripe),
        "webhook_endpoints",
        "list",
        "--limit",
        "100",
        "--api-base",
        stack.stripe_api_base,
        "--api-key",
        stack.stripe_api_key,
    ]
    settings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "STRIPE_CLI_TELEMETRY_OPTOUT": "1"}
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, env=settings)
    assert listed.returncode == 0, listed.stderr
    seen = {one["id"]: one for one in json.loads(listed.stdout)["data"]}
    assert len(endpoints) == len(NAMES)
    for endpoint in endpoints:
        there = seen[endpoint["stripe_id"]]
        assert (there["url"], there["enabled_events"]) == (endpoint["url"], endpoint["events"])
        assert there["api_version"] == endpoint["api_version"]
        assert there["status"] == ("disabled" if endpoint["state"] == "disabled" else "enabled")
        assert there["metadata"]["billhook_name"] == endpoint["name"]
