"""``docs/iam/role.yaml`` is a template that AWS takes, and gives one branch what the policies say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cfnlint.api import ManualArgs, lint
from cfnlint.decode import cfn_yaml
from moto import mock_aws

from tests.iam.policies import DOCS, by_night, document

ROLE = DOCS / "role.yaml"
REGION, ACCOUNT, TABLE = "us-east-1", "123456789012", "rtb-0123456789abcdef0"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def linted(template: str) -> list[str]:
    return [match.rule.id for match in lint(template, config=ManualArgs(regions=[REGION, "sa-east-1"]))]


def test_cfn_lint_has_nothing_to_say_about_the_template() -> None:
    text = ROLE.read_text(encoding="utf-8")
    assert linted(text) == []
    assert "E3510" in linted(text.replace("Effect: Allow", "Effect: Perhaps", 2))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS in this process, which makes what a template says."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


def made(**given: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trust policy and the others, by name, of the role that the template makes."""
    cloud = boto3.client("cloudformation", REGION)
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    text = ROLE.read_text(encoding="utf-8")
    cloud.create_stack(
        StackName="x", TemplateBody=text, Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
    )
    (stack,) = cloud.describe_stacks(StackName="x")["Stacks"]
    name = stack["Outputs"][0]["OutputValue"].rpartition("/")[2]
    iam = boto3.client("iam")
    policies = {
        each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return trust, {each: _parsed(policy) for each, policy in policies.items()}


def _parsed(policy: Any) -> Any:
    """The API of this process gives what a role has inline as the text of a Python dictionary."""
    return ast.literal_eval(policy) if isinstance(policy, str) else policy


@pytest.mark.usefixtures("cloud")
def test_the_role_reads_by_verify_alone_and_is_one_branchs_of_one_repository() -> None:
    trust, policies = made(Repository="octocat/lab", Provider=PROVIDER)
    assert policies == {"verify": document("verify")}
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:octocat/lab:ref:refs/heads/main",
        }
    }


@pytest.mark.usefixtures("cloud")
def test_the_role_may_create_and_delete_the_routes_of_the_table_that_is_named_and_replace_none() -> None:
    _, policies = made(Repository="octocat/lab", Provider=PROVIDER, RouteTable=TABLE)
    provision = document("provision", REGION=REGION, ACCOUNT=ACCOUNT, ROUTE_TABLE=TABLE)
    assert policies == {"verify": document("verify"), "provision": by_night(provision)}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("Repository", ["octocat/lab", "a/b.c_d-1"], ["octocat/*", "*", "octocat", "o/l:ref", "-o/l", "o/?"]),
        ("Branch", ["main", "release/1.2"], ["*", "", "main*", "ma?n", "/x"]),
        ("Provider", ["", PROVIDER], ["*", PROVIDER.replace("githubusercontent", "example")]),
        ("RouteTable", ["", TABLE, "rtb-0a1b2c3d"], ["*", "rtb-*", "vpc-0123456789abcdef0"]),
        ("RouteTableName", ["kubernetes", "my lab"], ["*", "lab?", ""]),
    ],
)
def test_no_parameter_takes_a_wildcard(parameter: str, good: list[str], bad: list[str]) -> None:
    template = cfn_yaml.load(str(ROLE))
    pattern = re.compile(template["Parameters"][parameter]["AllowedPattern"])
    assert [value for value in good if not pattern.fullmatch(value)] == []
    assert [value for value in bad if pattern.fullmatch(value)] == []
