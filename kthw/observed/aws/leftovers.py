"""What is left of the lab in the account: its resources, each listed once, and which of them are the lab's.

Of others' resources nothing is kept. The lab's is what bears a name that the tutorial gives, or one of the
lab's machines' names; what is in a VPC of the tutorial's name; and what hangs on any of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any, Final, NamedTuple

from msgspec import ValidationError, convert
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.intended import tutorial
from kthw.intended.cluster import Intended
from kthw.observed import unfit
from kthw.observed.aws import concerned, leftover_shapes
from kthw.observed.aws.crew import Crew
from kthw.observed.aws.errors import too_slow
from kthw.observed.aws.inventory import in_time
from kthw.observed.aws.leftover_shapes import Resource
from kthw.observed.aws.pages import inside, pages
from kthw.observed.aws.reader import LOOKING_FAILS_WITH, THREADS, Reader, look_error
from kthw.observed.leftover import Leftover, LeftoverKind

_READING_SECONDS: Final = 150.0
_PAGE: Final = 1000
_GONE: Final = ("deleted", "failed")
"""States of NAT gateways that are listed for an hour after they are gone, and cost nothing."""


class _List(NamedTuple):
    """How one kind is listed. ``size``: of a page; 0 where it comes in one."""

    service: str
    operation: str
    key: str
    shape: type[Any]
    size: int = _PAGE


_LISTS: Final[Mapping[str, _List]] = {
    "instance": _List("ec2", "describe_instances", "Reservations", leftover_shapes.Instance),
    "volume": _List("ec2", "describe_volumes", "Volumes", leftover_shapes.Volume),
    "elastic-ip": _List("ec2", "describe_addresses", "Addresses", leftover_shapes.Address, size=0),
    "nat-gateway": _List("ec2", "describe_nat_gateways", "NatGateways", leftover_shapes.NatGateway),
    "network-interface": _List(
        "ec2", "describe_network_interfaces", "NetworkInterfaces", leftover_shapes.NetworkInterface
    ),
    "internet-gateway": _List(
        "ec2", "describe_internet_gateways", "InternetGateways", leftover_shapes.InternetGateway
    ),
    "security-group": _List(
        "ec2", "describe_security_groups", "SecurityGroups", leftover_shapes.SecurityGroup
    ),
    "subnet": _List("ec2", "describe_subnets", "Subnets", leftover_shapes.Subnet),
    "route-table": _List("ec2", "describe_route_tables", "RouteTables", leftover_shapes.RouteTable, size=100),
    "vpc": _List("ec2", "describe_vpcs", "Vpcs", leftover_shapes.Vpc),
    "key-pair": _List("ec2", "describe_key_pairs", "KeyPairs", leftover_shapes.KeyPair, size=0),
    "load-balancer": _List(
        "elbv2", "describe_load_balancers", "LoadBalancers", leftover_shapes.LoadBalancer, size=400
    ),
    "target-group": _List(
        "elbv2", "describe_target_groups", "TargetGroups", leftover_shapes.TargetGroup, size=400
    ),
}


def read_leftovers(
    reader: Reader, intended: Intended, *, expect_account: str = ""
) -> tuple[str, tuple[Leftover, ...], tuple[LookError, ...]]:
    """The account, what is left of the lab in it, and what could not be looked at (``kind``).

    API calls: ``GetCallerIdentity``, one ``Describe…`` a kind (``DescribeSecurityGroupRules`` too, where
    several groups are left), and a page more for every further 1,000 of a kind.
    Raises ``CouldNotLook`` where nothing can be known: credentials, region, ``wrong-account``.
    """
    account = in_time(reader, "account", lambda: reader.account(expect_account))
    seen, errors = _listed(reader)
    left = _Lab(intended, seen).left()
    groups = [each for each in left if each.kind == "security-group"]
    if len(groups) > 1:
        rules, more = _rules_between(reader, groups)
        errors += more
        left = tuple(rules.get(each.id, each) if each.kind == "security-group" else each for each in left)
    return account, left, tuple(errors)


def _listed(reader: Reader) -> tuple[dict[str, list[Any]], list[LookError]]:
    clients = {"ec2": reader.ec2, "elbv2": reader.elbv2}
    crew = Crew(THREADS, "aws")
    until = time.monotonic() + _READING_SECONDS
    seen: dict[str, list[Any]] = {kind: [] for kind in _LISTS}
    errors: list[LookError] = []
    try:
        calls: dict[str, Future[Any]] = {
            kind: crew.submit(_all, clients[how.service], how) for kind, how in _LISTS.items()
        }
        wait(calls.values(), timeout=until - time.monotonic())
    finally:
        crew.dismiss()
    for kind, call in calls.items():
        if not call.done():
            errors.append(too_slow(reader.refusal, kind, _READING_SECONDS, kind=kind, **reader.facts))
        elif problem := call.exception():
            errors.append(_error(reader, problem, kind))
        else:
            errors += _fitting(reader, kind, call.result(), seen[kind])
    return seen, errors


def _fitting(reader: Reader, kind: str, answers: Iterable[object], into: list[Any]) -> list[LookError]:
    """Those that fit go ``into``; what does not may be the lab's, and is told."""
    errors = []
    for answer in answers:
        try:
            into.append(convert(answer, _LISTS[kind].shape))
        except ValidationError as problem:
            garbled = unfit.told(kind, "", problem, answer)
            errors.append(concerned.error(garbled, reader.facts))
    return errors[:1]


def _error(reader: Reader, problem: BaseException, kind: str) -> LookError:
    if not isinstance(problem, LOOKING_FAILS_WITH):
        raise problem
    return look_error(problem, kind, kind=kind, **reader.facts)


def _all(client: Any, how: _List) -> list[object]:
    return list(_entries(client, how))


def _entries(client: Any, how: _List, **asked: Any) -> Iterator[object]:
    if not how.size:
        yield from inside(getattr(client, how.operation)(**asked), how.key)
        return
    for page in pages(client, how.operation, how.key, size=how.size, **asked):
        for each in inside(page, how.key):
            yield from inside(each, "Instances") if how.key == "Reservations" else (each,)


def _rules_between(reader: Reader, groups: Sequence[Leftover]) -> tuple[dict[str, Leftover], list[LookError]]:
    """The groups with the rules of the others that name them: AWS does not delete those meanwhile."""
    ids = {group.id for group in groups}
    how = _List(
        "ec2", "describe_security_group_rules", "SecurityGroupRules", leftover_shapes.SecurityGroupRule
    )
    filters = [{"Name": "group-id", "Values": sorted(ids)[:200]}]
    try:
        rules = [convert(each, how.shape) for each in _entries(reader.ec2, how, Filters=filters)]
    except LOOKING_FAILS_WITH as problem:
        return {}, [_error(reader, problem, "security-group")]
    except ValidationError as problem:
        garbled = unfit.told("security-group", "SecurityGroupRuleId", problem, {})
        return {}, [concerned.error(garbled, reader.facts)]
    named: dict[tuple[str, bool], list[str]] = {}
    for rule in rules:
        other = rule.referenced_group_info.group_id
        if other in ids and other < rule.group_id:
            # They are told and deleted in the order of their ids: the rules of those before are gone by then.
            noun = f"{rule.group_id}:{rule.security_group_rule_id}"
            named.setdefault((other, rule.is_egress), []).append(noun)
    return {
        group.id: replace(
            group,
            ingress=tuple(sorted(named.get((group.id, False), ()))),
            egress=tuple(sorted(named.get((group.id, True), ()))),
        )
        for group in groups
    }, []


class _Lab:
    """Which of all that is listed is the lab's."""

    def __init__(self, intended: Intended, seen: Mapping[str, list[Any]]) -> None:
        self._seen = seen
        self._machines = {*intended.workers, *intended.also, *tutorial.CONTROLLERS}
        self._ids = set(filter(None, (*intended.instances.values(), *intended.also.values())))
        self._names = {tutorial.NETWORK_NAME, tutorial.RESOURCE_NAME, *self._machines}
        self._vpcs = {vpc.vpc_id for vpc in seen["vpc"] if not vpc.is_default and self._is_lab(vpc)}
        self._instances = {
            each.instance_id
            for each in seen["instance"]
            if each.is_there and (each.instance_id in self._ids or self._is_ours(each))
        }

    def left(self) -> tuple[Leftover, ...]:
        """Of each kind, by id."""
        found = (
            *(each.left("instance", each.instance_id, each.state.name) for each in self._machines_left()),
            *self._each("load-balancer", lambda each: (each.load_balancer_arn, str(each.state.code))),
            *self._each("target-group", lambda each: (each.target_group_arn, "")),
            *self._each(
                "nat-gateway",
                lambda each: (each.nat_gateway_id, each.state),
                lambda each: each.state in _GONE,
            ),
            *(
                each.left("elastic-ip", each.allocation_id, address=each.public_ip)
                for each in self._addresses()
            ),
            *(each.left("volume", each.volume_id, each.state) for each in self._volumes()),
            *self._each(
                "network-interface",
                lambda each: (each.network_interface_id, each.status),
                lambda each: each.requester_managed or each.attachment.instance_id,
            ),
            *self._each("internet-gateway", lambda each: (each.internet_gateway_id, "")),
            *self._each(
                "security-group", lambda each: (each.group_id, ""), lambda each: each.group_name == "default"
            ),
            *self._each("subnet", lambda each: (each.subnet_id, "")),
            *self._each("route-table", lambda each: (each.route_table_id, ""), lambda each: each.is_main),
            *self._each("vpc", lambda each: (each.vpc_id, ""), lambda each: each.is_default),
            *(
                Leftover(kind="key-pair", id=each.key_name, name=each.key_name)
                for each in self._seen["key-pair"]
                if each.key_name == tutorial.KEY_NAME
            ),
        )
        return tuple(sorted(found, key=lambda each: (each.kind, each.id)))

    def _is_ours(self, each: Resource) -> bool:
        return bool(self._names & set(each.names) or self._vpcs & set(each.vpcs))

    def _is_lab(self, vpc: Any) -> bool:
        """By its name; one without, where all that it is divided into bears the tutorial's name."""
        if vpc.names:
            return bool(self._names & set(vpc.names))
        subnets = [each for each in self._seen["subnet"] if each.vpc_id == vpc.vpc_id]
        return bool(subnets) and all(self._names & set(each.names) for each in subnets)

    def _each(
        self,
        kind: LeftoverKind,
        known_as: Callable[[Any], tuple[str, str]],
        but: Callable[[Any], object] = lambda _each: False,
    ) -> Iterator[Leftover]:
        for each in self._seen[kind]:
            if self._is_ours(each) and not but(each):
                yield each.left(kind, *known_as(each))

    def _machines_left(self) -> Iterator[Any]:
        return (each for each in self._seen["instance"] if each.instance_id in self._instances)

    def _addresses(self) -> Iterator[Any]:
        interfaces = {
            each.network_interface_id
            for each in self._seen["network-interface"]
            if self._is_ours(each) or each.attachment.instance_id in self._instances
        }
        for each in self._seen["elastic-ip"]:
            hangs = each.instance_id in self._instances or each.network_interface_id in interfaces
            if hangs or self._is_ours(each):
                yield each

    def _volumes(self) -> Iterator[Any]:
        """Those that go with their instance are that instance's."""
        going = {volume for each in self._seen["instance"] for volume in each.volumes_that_go}
        for each in self._seen["volume"]:
            hangs = any(held.instance_id in self._instances for held in each.attachments)
            if (hangs or self._is_ours(each)) and each.volume_id not in going:
                yield each
