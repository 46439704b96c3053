"""EC2's lists, page by page and within bounds: what fits as the nouns of the evidence, and what does not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from msgspec import Struct, ValidationError

from kthw.observed import unfit
from kthw.observed.aws import shapes
from kthw.observed.aws.answers import UnreadableAnswerError
from kthw.observed.aws.pages import inside, pages
from kthw.observed.aws.wire import Image
from kthw.observed.choosing import Tagged
from kthw.observed.evidence import (
    Instance,
    InternetGateway,
    NetworkAcl,
    PrefixList,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
)
from kthw.observed.unfit import Unfit

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_Noun = TypeVar("_Noun", Instance, InternetGateway, NetworkAcl, RouteTable, SecurityGroup, Subnet, Vpc)
_Any = TypeVar("_Any")

_PAGE: Final = 1000
_TABLES_PAGE: Final = 100
_ENTRIES_PAGE: Final = 100
_MOST_LISTED: Final = 100_000
_MOST_FILTER_VALUES: Final = 200
_NO_FILTERS: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})
_THERE: Final = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}


class Listed(Struct, Generic[_Any], frozen=True):
    """``nouns`` by id, each once; ``unfit``: what AWS listed beside them and garbled."""

    nouns: tuple[_Any, ...] = ()
    unfit: tuple[Unfit, ...] = ()


def regions(ec2: EC2Client) -> list[str]:
    """The names of the regions that this account may use; of a garbled answer, what can be read."""
    listed: object = ec2.describe_regions().get("Regions")
    entries = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    return [str(each.get("RegionName")) for each in entries if each.get("OptInStatus") != "not-opted-in"]


def instances(ec2: EC2Client) -> Listed[Instance]:
    """All instances of the region: filtering by N names would not cost less, and paging is asked for.

    Of an instance that does not fit, what does is among ``nouns`` where its id is known.
    """
    found: list[Instance] = []
    wrong: list[Unfit] = []
    for reservation in _entries(ec2, "describe_instances", "Reservations"):
        try:
            answers = inside(reservation, "Instances")
        except UnreadableAnswerError as problem:
            wrong.append(Unfit(kind="instance", id="", detail=str(problem)))
            continue
        for answer in answers:
            try:
                found.append(shapes.instance(answer))
            except ValidationError as problem:
                wrong.append(unfit.told("instance", "InstanceId", problem, answer))
                left = shapes.salvaged(answer)
                found += [left] if left else []
    return Listed(_by_id(found), tuple(wrong))


def tagged(
    ec2: EC2Client, filters: Mapping[str, Sequence[str]] = _NO_FILTERS, *, most_pages: int = 0
) -> tuple[Tagged, ...]:
    """The instances of the region that meet the filters, with their tags; with a filter, none that is gone.

    Raises ``UnreadableAnswerError`` where one is garbled: nobody knows then what it meets.
    """
    asked: dict[str, Any] = {}
    if filters:
        asked["Filters"] = [*({"Name": key, "Values": list(each)} for key, each in filters.items()), _THERE]
    found: dict[str, Tagged] = {}
    for reservation in _entries(ec2, "describe_instances", "Reservations", most_pages=most_pages, **asked):
        for answer in inside(reservation, "Instances"):
            try:
                one = shapes.tagged(answer)
            except ValidationError as problem:
                raise UnreadableAnswerError(detail=unfit.detail(problem, answer)) from problem
            found[one.instance.id] = one
    return tuple(found.values())


def vpcs(ec2: EC2Client, ids: Sequence[str]) -> Listed[Vpc]:
    return _in_vpcs(ec2, "describe_vpcs", "Vpcs", ids, shapes.vpc, "vpc", "VpcId")


def subnets(ec2: EC2Client, ids: Sequence[str]) -> Listed[Subnet]:
    return _in_vpcs(ec2, "describe_subnets", "Subnets", ids, shapes.subnet, "subnet", "SubnetId")


def security_groups(ec2: EC2Client, ids: Sequence[str]) -> Listed[SecurityGroup]:
    return _in_vpcs(
        ec2,
        "describe_security_groups",
        "SecurityGroups",
        ids,
        shapes.security_group,
        "security-group",
        "GroupId",
    )


def network_acls(ec2: EC2Client, ids: Sequence[str]) -> Listed[NetworkAcl]:
    return _in_vpcs(
        ec2, "describe_network_acls", "NetworkAcls", ids, shapes.network_acl, "network-acl", "NetworkAclId"
    )


def internet_gateways(ec2: EC2Client, ids: Sequence[str]) -> Listed[InternetGateway]:
    """Those of the VPCs and those attached to none: a detached one explains a missing internet."""
    entries = _entries(ec2, "describe_internet_gateways", "InternetGateways")
    seen = _read(entries, shapes.internet_gateway, "internet-gateway", "InternetGatewayId")
    return Listed(
        tuple(each for each in seen.nouns if not each.vpcs or set(each.vpcs) & set(ids)), seen.unfit
    )


def route_tables(
    ec2: EC2Client, by: Literal["vpc-id", "route-table-id"], values: Sequence[str]
) -> Listed[RouteTable]:
    """The route tables selected by a filter; unlike asking by id, one that is gone is just not there."""
    found: list[RouteTable] = []
    wrong: list[Unfit] = []
    for start in range(0, len(values), _MOST_FILTER_VALUES):
        entries = _entries(
            ec2,
            "describe_route_tables",
            "RouteTables",
            size=_TABLES_PAGE,
            Filters=[{"Name": by, "Values": list(values[start : start + _MOST_FILTER_VALUES])}],
        )
        seen = _read(entries, shapes.route_table, "route-table", "RouteTableId")
        found += seen.nouns
        wrong += seen.unfit
    return Listed(_by_id(found), tuple(wrong))


def prefix_list(ec2: EC2Client, list_id: str) -> PrefixList:
    """A managed prefix list. Raises ``UnreadableAnswerError`` where it is not to be read as a whole."""
    entries = _entries(
        ec2, "get_managed_prefix_list_entries", "Entries", size=_ENTRIES_PAGE, PrefixListId=list_id
    )
    found = set()
    for answer in entries:
        try:
            found.add(shapes.prefix_list_entry(answer))
        except ValidationError as problem:
            raise UnreadableAnswerError(detail=f"{list_id}: {unfit.detail(problem, answer)}") from problem
    return PrefixList(id=list_id, entries=tuple(sorted(found - {""}, key=IPv4Network)))


def images(ec2: EC2Client, ids: Sequence[str]) -> list[Image]:
    """Those of the machine images that AWS still knows; what it garbles is left out: it would only help."""
    listed: object = ec2.describe_images(ImageIds=list(ids), IncludeDeprecated=True).get("Images")
    found = []
    for answer in listed if isinstance(listed, list) else ():
        with contextlib.suppress(ValidationError):
            found.append(shapes.image(answer))
    return found


def _in_vpcs(
    ec2: EC2Client,
    operation: str,
    key: str,
    ids: Sequence[str],
    shape: Callable[[object], _Noun],
    kind: str,
    id_field: str,
) -> Listed[_Noun]:
    entries = _entries(ec2, operation, key, Filters=[{"Name": "vpc-id", "Values": list(ids)}])
    return _read(entries, shape, kind, id_field)


def _read(
    entries: Iterator[object], shape: Callable[[object], _Noun], kind: str, id_field: str
) -> Listed[_Noun]:
    found: list[_Noun] = []
    wrong: list[Unfit] = []
    for answer in entries:
        try:
            found.append(shape(answer))
        except ValidationError as problem:
            wrong.append(unfit.told(kind, id_field, problem, answer))
    return Listed(_by_id(found), tuple(wrong))


def _entries(
    ec2: EC2Client,
    operation: Any,
    key: str,
    *,
    size: int = _PAGE,
    most_pages: int = 0,
    **asked: Any,
) -> Iterator[object]:
    """What all pages list under ``key``.

    Raises ``UnreadableAnswerError`` for a page without it, and where pages or entries do not end.
    """
    listed = 0
    for page in pages(ec2, operation, key, size=size, most=most_pages, **asked):
        entries = inside(page, key)
        listed += len(entries)
        if listed > _MOST_LISTED:
            raise UnreadableAnswerError(detail=f"{key}: > {_MOST_LISTED} entries")
        yield from entries


def _by_id(found: Sequence[_Noun]) -> tuple[_Noun, ...]:
    """Sorted, each once: pages of a changing list may repeat an entry."""
    return tuple(sorted({noun.id: noun for noun in found}.values(), key=lambda noun: noun.id))
