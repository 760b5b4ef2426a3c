"""Deploys the built template into MiniStack with `sam deploy`, as it would be deployed to AWS.

boto3 is imported where it is used: `make down` runs without it, and Ctrl-C at the start of a command finds no
long import.
"""

import contextlib
import functools
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .logs import tail
from .settings import CREDENTIALS, REGION, ROOT, StackPaths, UserError, build_environment

STACK = "billhook-local"
# The API's id is fixed, so that its URL is known before it is made and can be a parameter of the same
# deployment.
API_ID = "billhook"
BUCKET = "billhook-deployments"
DEPLOY_TIMEOUT_S = 300.0


def api_url(endpoint: str) -> str:
    """Returns the API's URL in the form that every client can resolve."""
    return f"{endpoint}/_aws/execute-api/{API_ID}"


@functools.cache
def aws_client(service: str, endpoint: str) -> Any:
    """Returns a client for one of AWS's services as MiniStack has it."""
    import boto3
    from botocore.config import Config

    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return session.client(
        service,
        endpoint_url=endpoint,
        config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}, proxies={}),
    )


@contextlib.contextmanager
def aws_errors_for_users() -> Iterator[None]:
    """Turns what boto3 raises into an error of one line."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"the local AWS failed: {error}") from error


def deploy(paths: StackPaths, endpoint: str, template: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    """Creates the stack, or updates it to what the template now says; returns its outputs."""
    log = paths.logs / "deploy.log"
    # A bucket of our own saves the stack that SAM would make for one.
    aws_client("s3", endpoint).create_bucket(Bucket=BUCKET)
    command = [
        *("sam", "deploy"),
        *("--config-file", str(ROOT / "samconfig.toml")),
        *("--config-env", "local"),
        *("--stack-name", STACK),
        *("--template-file", str(template)),
        *("--s3-bucket", BUCKET),
        *("--parameter-overrides", *[f"{name}={value}" for name, value in parameters.items()]),
        # MiniStack takes an API's id from this tag.
        *("--tags", f"ms-custom-id={API_ID}"),
    ]
    with open(log, "wb") as output:
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=build_environment(paths) | {"AWS_ENDPOINT_URL": endpoint},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=DEPLOY_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"the deployment took over {DEPLOY_TIMEOUT_S:g} seconds; see {log}") from None
    if done.returncode != 0:
        raise UserError(f"`sam deploy` failed; {log} ends with:\n{tail(log, 40)}")
    return outputs(endpoint)


def outputs(endpoint: str) -> dict[str, str]:
    """Returns the stack's outputs; none if there is no stack."""
    cloudformation = aws_client("cloudformation", endpoint)
    try:
        stacks = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except cloudformation.exceptions.ClientError:
        return {}
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
