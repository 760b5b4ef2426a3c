"""Each function can do what it is for, and nothing else.

MiniStack enforces IAM here (``AUTH=true``), so the other tests show that the rights are enough. These show
that they are not more than that, by asking IAM about the roles that were deployed.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.deploy import outputs
from localcloud.settings import REGION
from localcloud.stack import FUNCTIONS, TABLES, Stack

ACCOUNT = "000000000000"


def is_allowed(stack: Stack, function: str, action: str, resource: str) -> bool:
    """Whether IAM allows the action to a function's role."""
    (result,) = stack.aws("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{role(stack, function)}",
        ActionNames=[action],
        ResourceArns=[resource],
    )["EvaluationResults"]
    decision: str = result["EvalDecision"]
    return decision == "allowed"


def role(stack: Stack, function: str) -> str:
    """Returns the name of a function's role."""
    found = stack.aws("lambda").get_function_configuration(FunctionName=stack.functions[function])
    return str(found["Role"]).rsplit("/", 1)[1]


def table(stack: Stack, name: str, index: str | None = None) -> str:
    """Returns a table's ARN, or an index's."""
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{stack.tables[name]}" + (
        f"/index/{index}" if index else ""
    )


def signing_secret(stack: str) -> str:
    """Returns the ARN that a signing secret of a stack would have."""
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{stack}/endpoints/main-AbCdEf"


def allowed_functions(stack: Stack, action: str, resource: str) -> set[str]:
    """Returns the functions to which IAM allows the action."""
    return {function for function in FUNCTIONS if is_allowed(stack, function, action, resource)}


@pytest.mark.parametrize("name", TABLES)
def test_no_function_reads_a_whole_table_or_removes_it(stack: Stack, name: str) -> None:
    for action in (
        "dynamodb:Scan",
        "dynamodb:DeleteTable",
        "dynamodb:UpdateTable",
        "dynamodb:BatchWriteItem",
    ):
        assert allowed_functions(stack, action, table(stack, name)) == set(), action


@pytest.mark.parametrize("name", ["ledger", "records", "audit"])
def test_what_was_written_is_never_deleted(stack: Stack, name: str) -> None:
    assert allowed_functions(stack, "dynamodb:DeleteItem", table(stack, name)) == set()


def test_only_receive_and_reconcile_add_events_and_few_change_them(stack: Stack) -> None:
    assert allowed_functions(stack, "dynamodb:PutItem", table(stack, "ledger")) == {"receive", "reconcile"}
    assert allowed_functions(stack, "dynamodb:UpdateItem", table(stack, "ledger")) == {
        "process",
        "replay",
        "erase",
    }


def test_receive_cannot_read_what_it_stores(stack: Stack) -> None:
    for action in ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"):
        assert not is_allowed(stack, "receive", action, table(stack, "ledger"))
        assert not is_allowed(stack, "receive", action, table(stack, "records"))


def test_only_process_import_and_erase_write_records(stack: Stack) -> None:
    assert allowed_functions(stack, "dynamodb:PutItem", table(stack, "records")) == {
        "process",
        "import",
        "erase",
    }
    assert allowed_functions(stack, "dynamodb:UpdateItem", table(stack, "records")) == set()


def test_only_register_makes_and_removes_endpoints(stack: Stack) -> None:
    # Reconcile, import and erase write their progress there, status what Stripe said last.
    assert allowed_functions(stack, "dynamodb:PutItem", table(stack, "registry")) == {
        "register",
        "status",
        "reconcile",
        "import",
        "erase",
    }
    assert allowed_functions(stack, "dynamodb:DeleteItem", table(stack, "registry")) == {"register"}
    # As a whole and under a condition only: a row is never changed in part.
    assert not is_allowed(stack, "register", "dynamodb:UpdateItem", table(stack, "registry"))


@pytest.mark.parametrize(
    ("function", "action", "kind"),
    [("receive", "dynamodb:UpdateItem", "heard"), ("status", "dynamodb:PutItem", "look")],
)
def test_who_writes_one_kind_of_row_in_the_registry_writes_no_other(
    stack: Stack, function: str, action: str, kind: str
) -> None:
    # MiniStack does not know this condition's key and so lets more through than AWS; hence the policy's own
    # text.
    writes = [
        statement
        for statement in _statements(stack, function)
        if action in statement["Action"] and table(stack, "registry") in statement["Resource"]
    ]
    assert [statement["Condition"] for statement in writes] == [
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [kind]}}
    ]


def test_the_audit_is_only_added_to_by_functions_that_admins_make_changes_with(stack: Stack) -> None:
    assert allowed_functions(stack, "dynamodb:PutItem", table(stack, "audit")) == {
        "register",
        "replay",
        "reconcile",
        "import",
        "erase",
    }
    assert allowed_functions(stack, "dynamodb:UpdateItem", table(stack, "audit")) == set()
    assert allowed_functions(stack, "dynamodb:Query", table(stack, "audit")) == {"records"}


def test_signing_secrets_are_kept_by_register_and_read_to_verify_and_to_probe(stack: Stack) -> None:
    readers = {"receive", "register", "reconcile"}
    assert (
        allowed_functions(stack, "secretsmanager:GetSecretValue", signing_secret(stack.stack_name)) == readers
    )
    for action in (
        "secretsmanager:CreateSecret",
        "secretsmanager:PutSecretValue",
        "secretsmanager:DeleteSecret",
    ):
        assert allowed_functions(stack, action, signing_secret(stack.stack_name)) == {"register"}


def test_another_stacks_secrets_are_out_of_reach(stack: Stack) -> None:
    assert allowed_functions(stack, "secretsmanager:GetSecretValue", signing_secret("billhook-live")) == set()


def test_the_stripe_key_is_read_by_who_calls_stripe_and_set_by_register(stack: Stack) -> None:
    key = outputs(stack.aws_endpoint_url)["StripeKeySecret"]
    assert allowed_functions(stack, "secretsmanager:GetSecretValue", key) == {
        "process",
        "reconcile",
        "register",
        "status",
        "import",
        "erase",
    }
    assert allowed_functions(stack, "secretsmanager:PutSecretValue", key) == {"register"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_policy_names_all_actions_or_all_resources(stack: Stack, function: str) -> None:
    iam, name = stack.aws("iam"), role(stack, function)
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    for statement in _statements(stack, function):
        actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
        assert not any("*" in action for action in actions), statement
        assert "*" not in resources, statement


def test_the_rights_are_enforced_and_not_only_written_down(stack: Stack, as_receive: boto3.Session) -> None:
    dynamodb = as_receive.client("dynamodb", endpoint_url=stack.aws_endpoint_url)
    event = {"id": {"S": "evt_of_a_test"}, "part": {"N": "0"}}
    dynamodb.put_item(TableName=stack.tables["ledger"], Item=event)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.get_item(TableName=stack.tables["ledger"], Key=event)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.scan(TableName=stack.tables["ledger"])


@pytest.fixture
def as_receive(stack: Stack) -> Iterator[boto3.Session]:
    """A session with the rights of receive, by another role: only Lambda can assume that of receive."""
    iam = stack.aws("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(
        RoleName="stand-in",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    policy = iam.get_role_policy(RoleName=role(stack, "receive"), PolicyName="receive")["PolicyDocument"]
    iam.put_role_policy(RoleName="stand-in", PolicyName="receive", PolicyDocument=json.dumps(policy))
    given = stack.aws("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/stand-in", RoleSessionName="test"
    )["Credentials"]
    yield boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=REGION
    )
    iam.delete_role_policy(RoleName="stand-in", PolicyName="receive")
    iam.delete_role(RoleName="stand-in")
    event = {"id": {"S": "evt_of_a_test"}, "part": {"N": "0"}}
    stack.aws("dynamodb").delete_item(TableName=stack.tables["ledger"], Key=event)


def _statements(stack: Stack, function: str) -> list[dict[str, Any]]:
    policy = stack.aws("iam").get_role_policy(RoleName=role(stack, function), PolicyName=function)
    return list(policy["PolicyDocument"]["Statement"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
