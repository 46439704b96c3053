"""A garbled resource concerns those who depend on it, whether or not its own id can be read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.observed.aws.answers import UnreadableAnswerError
from kthw.observed.aws.concerned import by_instances, by_network
from kthw.observed.aws.inventory import route_tables
from kthw.observed.evidence import Inventory
from kthw.observed.unfit import Unfit
from tests.findings.changed_aws import in_two_subnets, inventory_of, with_inventory, with_table
from tests.findings.clusters import ACL_2, GROUP, SUBNET, TABLE, VPC, healthy
from tests.observed.api_answers import HEALTHY, serving
from tests.observed.test_aws_patience import reader_at

OK = healthy()
NOBODY: list[str] = []
EVERYBODY = [""]
EACH = ["worker-0", "worker-1", "worker-2"]


def concerned(seen: Inventory, kind: str, which: str = "") -> list[str]:
    """The workers of the errors about one garbled resource of that kind."""
    error = LookError(code="aws-unreadable", subject=which or kind, kind=kind, resource=which)
    return [each.worker for each in by_network(seen, OK.intended, {kind: [error]})]


def test_table_may_rule_every_subnet_that_has_none_of_its_own() -> None:
    assert concerned(inventory_of(OK), "route-table", "rtb-0z") == NOBODY
    implicit = with_table(OK, subnets=(), main=True)
    assert concerned(inventory_of(implicit), "route-table", "rtb-0z") == EVERYBODY
    two = in_two_subnets(OK)
    lacking = with_inventory(
        two, route_tables=tuple(t for t in inventory_of(two).route_tables if t.id == TABLE)
    )
    assert concerned(inventory_of(lacking), "route-table") == EVERYBODY


def test_subnet_counts_where_its_vpc_tells_the_table() -> None:
    unseen = with_inventory(OK, subnets=())
    assert concerned(inventory_of(unseen), "subnet", SUBNET) == NOBODY
    implicit = with_table(unseen, subnets=(), main=True)
    assert concerned(inventory_of(implicit), "subnet", SUBNET) == EVERYBODY
    assert concerned(inventory_of(implicit), "subnet", "subnet-0z") == NOBODY


def test_gateway_counts_where_a_vpc_of_the_workers_has_none() -> None:
    assert concerned(inventory_of(OK), "internet-gateway") == NOBODY
    assert concerned(inventory_of(with_inventory(OK, internet_gateways=())), "internet-gateway") == EVERYBODY


def test_vpc_group_and_acl_count_for_those_in_them() -> None:
    none = with_inventory(OK, vpcs=(), security_groups=(), network_acls=())
    assert concerned(inventory_of(none), "vpc", VPC) == EACH
    assert concerned(inventory_of(none), "vpc", "vpc-0z") == NOBODY
    assert concerned(inventory_of(none), "security-group", GROUP) == EACH
    assert concerned(inventory_of(none), "security-group", "sg-0z") == NOBODY
    assert concerned(inventory_of(none), "security-group") == EACH
    two = in_two_subnets(OK)
    first = tuple(acl for acl in inventory_of(two).network_acls if acl.id != ACL_2)
    assert concerned(inventory_of(with_inventory(two, network_acls=first)), "network-acl") == ["worker-2"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"Tags": [{"Key": "Name", "Value": "worker-1"}]}, [("instance", "worker-1")]),
        ({"Tags": [{"Key": "Name", "Value": ["a", "b"]}]}, [("nameless", "")]),
        ({"Tags": "x"}, [("nameless", "")]),
        ("x", [("nameless", "")]),
        ({"Tags": "x", "VpcId": "vpc-elsewhere"}, []),
        ({"Tags": "x", "State": {"Name": "terminated"}}, []),
        ({"Tags": [{"Key": "Name", "Value": "worker-1"}], "State": {"Name": "terminated"}}, []),
        ({"Tags": [{"Key": "Name", "Value": "controller-0"}]}, []),
        ({}, [("nameless", "")]),
    ],
    ids=["worker", "name", "tags", "text", "elsewhere", "gone", "gone-worker", "stranger", "nothing"],
)
def test_instance_concerns_the_worker_it_names(answer: object, expected: list[tuple[str, str]]) -> None:
    garbled = Unfit(kind="instance", id="i-0f", detail="State.Name: —", answer=answer)
    errors = by_instances([garbled], OK.intended, {VPC}, {})
    assert [(error.kind, error.worker) for error in errors] == expected


def test_many_garbled_resources_are_told_as_a_few_errors() -> None:
    garbled = [
        Unfit(
            kind="instance",
            id=f"i-0{n}",
            detail="x",
            answer={"Tags": [{"Key": "Name", "Value": f"worker-{n % 3}"}]},
        )
        for n in range(1000)
    ]
    errors = by_instances(garbled, OK.intended, {VPC}, {})
    assert len(errors) <= 12
    assert {error.worker for error in errors} == set(EACH)


def test_table_that_is_there_and_garbled_is_not_taken_for_gone() -> None:
    """Rolling back would forget what it made there."""
    with serving() as api:
        good, bad = "<routeTableId>rtb-0a<", "<routeTableId>rtb 0a<"
        api.hostile["DescribeRouteTables"] = HEALTHY["DescribeRouteTables"].replace(good, bad).encode()
        with pytest.raises(UnreadableAnswerError, match="rtb 0a"):
            route_tables(reader_at(api).ec2, "route-table-id", ["rtb-0a"])


def test_a_garbled_instance_is_the_worker_that_was_found_to_be_it_whatever_its_name() -> None:
    ids = {name: f"i-{n}" for n, name in enumerate(EACH)}
    chosen = replace(OK.intended, instances=ids)
    nameless = Unfit(kind="instance", id="i-1", detail="x", answer={"InstanceId": "i-1", "Tags": "?"})
    assert [each.worker for each in by_instances([nameless], chosen, [VPC], {})] == ["worker-1"]
    stranger = replace(nameless, id="i-9")
    assert by_instances([stranger], chosen, [VPC], {}) == []
    assert [each.worker for each in by_instances([stranger], OK.intended, [VPC], {})] == [""]
