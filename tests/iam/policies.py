"""The policies in ``docs/iam`` as AWS applies them, on the wire between a run and the API.

As much of IAM as they use: actions by name, resources with ``*``, ``StringEquals`` on a resource's tags; what
is not allowed is denied, in EC2's words. An element that is not known here is an error, not a yes.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.provision.account import REGION, Account
from tests.provision.wire import Answer, Wire, refused

DOCS: Final = Path(__file__).resolve().parents[2] / "docs" / "iam"
_ELEMENTS: Final = {"Sid", "Effect", "Action", "Resource", "Condition"}
_TAG: Final = "aws:ResourceTag/"


def document(name: str, **filled_in: str) -> dict[str, Any]:
    """``docs/iam/NAME.json``, with the words in capitals replaced as its page says."""
    text = (DOCS / f"{name}.json").read_text(encoding="utf-8")
    for word, value in filled_in.items():
        assert word in text
        text = text.replace(word, value)
    return dict(json.loads(text))


def of_account(account: Account) -> dict[str, Any]:
    """``provision.json`` for the lab in ``account``."""
    return document("provision", REGION=REGION, ACCOUNT=account.id, ROUTE_TABLE=account.table)


def by_night(provision: Mapping[str, Any]) -> dict[str, Any]:
    """What the nightly role has of ``provision.json``: what leads elsewhere is replaced by a person only."""
    return without(provision, "ec2:ReplaceRoute")


def actions(*documents: Mapping[str, Any]) -> set[str]:
    """All that they allow."""
    return {action for each in documents for statement in each["Statement"] for action in statement["Action"]}


def without(policy: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The same policy, and that action is not allowed."""
    statements = [
        {**each, "Action": [other for other in each["Action"] if other != action]}
        for each in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


def named(operation: str) -> str:
    """As a policy names it: ``ec2:DescribeVpcs``."""
    if operation in ("GetCallerIdentity", "AssumeRole"):
        return f"sts:{operation}"
    balancing = operation in ("DescribeLoadBalancers", "DescribeTargetGroups")
    return f"{'elasticloadbalancing' if balancing else 'ec2'}:{operation}"


def sent(wire: Wire) -> set[str]:
    """What came over the wire, as policies name it."""
    return {named(operation) for operation in wire.sent}


def enforce(wire: Wire, account: Account, *policies: Mapping[str, Any]) -> None:
    """From now on the wire carries what these policies together allow, and nothing else."""

    def refuse(asked: dict[str, str]) -> Answer | None:
        table = asked.get("RouteTableId")
        resource = f"arn:aws:ec2:{REGION}:{account.id}:route-table/{table}" if table else "*"
        action = named(asked["Action"])
        if any(_allows(each, action, resource, account, table) for each in policies):
            return None
        who = f"arn:aws:sts::{account.id}:assumed-role/kthw/night"
        said = f"You are not authorized to perform this operation. User: {who} is not authorized to perform: "
        if action.startswith("ec2:"):
            return refused("UnauthorizedOperation", f"{said}{action}", 403)(_never)
        return refused("AccessDenied", f"User: {who} is not authorized to perform: {action}", 403)(_never)

    wire.refuse = refuse


def _never() -> Answer:
    raise AssertionError


def _allows(
    policy: Mapping[str, Any], action: str, resource: str, account: Account, table: str | None
) -> bool:
    return any(_covers(each, action, resource, account, table) for each in policy["Statement"])


def _covers(
    statement: Mapping[str, Any], action: str, resource: str, account: Account, table: str | None
) -> bool:
    assert statement.keys() <= _ELEMENTS
    assert statement["Effect"] == "Allow"
    if action not in statement["Action"] or not fnmatch.fnmatchcase(resource, statement["Resource"]):
        return False
    wanted = statement.get("Condition", {})
    assert wanted.keys() <= {"StringEquals"}
    return all(
        key.startswith(_TAG) and _tags(account, table).get(key.removeprefix(_TAG)) == value
        for key, value in wanted.get("StringEquals", {}).items()
    )


def _tags(account: Account, table: str | None) -> dict[str, str]:
    (found,) = account.ec2.describe_route_tables(RouteTableIds=[str(table)])["RouteTables"]
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}
