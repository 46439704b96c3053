"""What AWS says the network is: the only module that reads EC2.

All lists are read page by page: EC2 asks for it, and refuses sooner where it is not done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.intended.cluster import Intended
from kthw.observed import shapes
from kthw.observed.aws import LOOKING_FAILS_WITH, THREADS, Reader, aws_code, look_error, looking
from kthw.observed.evidence import (
    Instance,
    InternetGateway,
    Inventory,
    NetworkAcl,
    RouteTable,
    SecurityGroup,
    Subnet,
    UserData,
    Vpc,
)
from kthw.observed.namesakes import candidates
from kthw.observed.rate import TokenBucket
from kthw.observed.user_data import read_user_data

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

Progress = Callable[[int, int], None]
_Noun = TypeVar("_Noun", Instance, InternetGateway, NetworkAcl, RouteTable, SecurityGroup, Subnet, Vpc)

_ATTRIBUTES_PER_SECOND: Final = 20
_ATTRIBUTES_AT_ONCE: Final = 100
"""The published limit of DescribeInstanceAttribute per account and region; it has no batch form."""
_PAGE: Final = 1000
_TABLES_PAGE: Final = 100
_MOST_FILTER_VALUES: Final = 200
_SETTLING_SECONDS: Final = (0.5, 1.0, 2.0)
"""How long a listed instance may stay unknown to another call before it counts as gone."""


def _silent(_done: int, _of: int) -> None:
    pass


def read_inventory(
    reader: Reader,
    intended: Intended,
    *,
    expect_account: str = "",
    progress: Progress = _silent,
) -> tuple[Inventory, tuple[LookError, ...]]:
    """Look at the account once: the intended workers and the network they are in.

    Returns the inventory and what could not be looked at for single workers (their user data).
    Raises ``CouldNotLook`` where nothing can be known: credentials, region, ``wrong-account`` (when
    ``expect_account`` is another), a Describe call refused.

    API calls: ``GetCallerIdentity``, ``DescribeInstances``, six more Describe calls, and one
    ``DescribeInstanceAttribute`` per worker: N + 8, and a page more for every further 1,000 instances of
    the region or 100 route tables. Without any worker it is two calls.
    ``progress(done, of)`` counts the calls after the first two.
    """
    account = reader.account(expect_account)
    with looking("instances", **reader.facts):
        everywhere = _instances(reader.ec2)
    vpcs = _vpcs_of_workers(everywhere, intended)
    instances = [i for i in everywhere if i.name in intended.workers or (i.vpc and i.vpc in vpcs)]
    inventory = Inventory(account=account, region=reader.region, instances=tuple(instances))
    if not vpcs:
        return inventory, ()
    return _Look(reader, intended, inventory, sorted(vpcs), progress).all()


def reread_routes(reader: Reader, inventory: Inventory) -> Inventory:
    """``inventory`` with its VPCs' route tables as they are now; one call (per 100 tables)."""
    with looking("route tables", **reader.facts):
        tables = route_tables(reader.ec2, "vpc-id", [vpc.id for vpc in inventory.vpcs])
    return msgspec.structs.replace(inventory, route_tables=tables)


def route_tables(
    ec2: EC2Client, by: Literal["vpc-id", "route-table-id"], values: Sequence[str]
) -> tuple[RouteTable, ...]:
    """The route tables selected by a filter; unlike asking by id, one that is gone is just not there."""
    found: list[RouteTable] = []
    for start in range(0, len(values), _MOST_FILTER_VALUES):
        pages = ec2.get_paginator("describe_route_tables").paginate(
            Filters=[{"Name": by, "Values": list(values[start : start + _MOST_FILTER_VALUES])}],
            PaginationConfig={"PageSize": _TABLES_PAGE},
        )
        found += [shapes.route_table(table) for page in pages for table in page["RouteTables"]]
    return _by_id(found)


class _Look:
    """The parallel part of a reading: six Describe calls and the user data of every worker."""

    def __init__(
        self, reader: Reader, intended: Intended, inventory: Inventory, vpcs: list[str], progress: Progress
    ) -> None:
        self._reader = reader
        self._ec2 = reader.ec2
        self._inventory = inventory
        self._in_vpcs: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": vpcs}]
        self._vpc_ids = vpcs
        # A name that several could mean is not asked about: nobody can tell whose user data counts.
        meant = candidates(inventory.instances, intended)
        self._workers = {name: found[0] for name, found in meant.items() if len(found) == 1}
        self._bucket = TokenBucket(_ATTRIBUTES_PER_SECOND, _ATTRIBUTES_AT_ONCE)
        self._progress = progress

    def all(self) -> tuple[Inventory, tuple[LookError, ...]]:
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        try:
            vpcs = pool.submit(self._vpcs)
            subnets = pool.submit(self._subnets)
            tables = pool.submit(route_tables, self._ec2, "vpc-id", self._vpc_ids)
            gateways = pool.submit(self._internet_gateways)
            groups = pool.submit(self._security_groups)
            acls = pool.submit(self._network_acls)
            said = {name: pool.submit(self._user_data, worker) for name, worker in self._workers.items()}
            network = (vpcs, subnets, tables, gateways, groups, acls)
            self._wait([*network, *said.values()])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        self._refuse_half_a_network(network)
        instances, errors = self._with_user_data(said)
        return (
            msgspec.structs.replace(
                self._inventory,
                vpcs=vpcs.result(),
                subnets=subnets.result(),
                route_tables=tables.result(),
                internet_gateways=gateways.result(),
                security_groups=groups.result(),
                network_acls=acls.result(),
                instances=instances,
            ),
            errors,
        )

    def _wait(self, calls: Sequence[Future[Any]]) -> None:
        self._progress(0, len(calls))
        for done, _ in enumerate(as_completed(calls), start=1):
            self._progress(done, len(calls))

    def _refuse_half_a_network(self, network: Sequence[Future[Any]]) -> None:
        """Raise the first failure; when permissions are lacking, one error names all of them."""
        problems = [problem for problem in (call.exception() for call in network) if problem]
        errors = [self._error(problem, "network") for problem in problems]
        if not errors:
            return
        denied = sorted({error.facts["action"] for error in errors if error.code == "access-denied"})
        error = next((error for error in errors if error.code != "access-denied"), errors[0])
        if error.code == "access-denied":
            facts = {**error.facts, "action": ", ".join(denied)}
            error = msgspec.structs.replace(error, facts=facts)
        raise CouldNotLook(error) from problems[0]

    def _with_user_data(
        self, said: dict[str, Future[UserData | None]]
    ) -> tuple[tuple[Instance, ...], tuple[LookError, ...]]:
        """The instances with what they were launched with; one that vanished meanwhile is left out."""
        now = {instance.id: instance for instance in self._inventory.instances}
        errors: list[LookError] = []
        for name, call in sorted(said.items()):
            worker = self._workers[name]
            problem = call.exception()
            if problem:
                subject = f"{name} ({worker.id}, {worker.address})"
                errors.append(self._error(problem, subject, worker=name))
            elif (user_data := call.result()) is None:
                del now[worker.id]
            else:
                now[worker.id] = msgspec.structs.replace(worker, user_data=user_data)
        return tuple(now.values()), tuple(errors)

    def _error(self, problem: BaseException, subject: str, *, worker: str = "") -> LookError:
        if not isinstance(problem, LOOKING_FAILS_WITH):
            raise problem
        return look_error(problem, subject, worker=worker, **self._reader.facts)

    def _user_data(self, worker: Instance) -> UserData | None:
        """``None`` where AWS no longer knows the instance it has just listed."""
        for settling in (*_SETTLING_SECONDS, 0):
            self._bucket.take()
            try:
                said = self._ec2.describe_instance_attribute(InstanceId=worker.id, Attribute="userData")
            except LOOKING_FAILS_WITH as problem:
                if aws_code(problem) != "InvalidInstanceID.NotFound":
                    raise
                time.sleep(settling)
            else:
                return read_user_data(said.get("UserData", {}).get("Value", ""))
        return None

    def _vpcs(self) -> tuple[Vpc, ...]:
        pages = self._ec2.get_paginator("describe_vpcs").paginate(
            Filters=self._in_vpcs, PaginationConfig={"PageSize": _PAGE}
        )
        return _by_id([shapes.vpc(seen) for page in pages for seen in page["Vpcs"]])

    def _subnets(self) -> tuple[Subnet, ...]:
        pages = self._ec2.get_paginator("describe_subnets").paginate(
            Filters=self._in_vpcs, PaginationConfig={"PageSize": _PAGE}
        )
        return _by_id([shapes.subnet(seen) for page in pages for seen in page["Subnets"]])

    def _internet_gateways(self) -> tuple[InternetGateway, ...]:
        """Those of the VPCs and those attached to none: a detached one explains a missing internet."""
        pages = self._ec2.get_paginator("describe_internet_gateways").paginate(
            PaginationConfig={"PageSize": _PAGE}
        )
        found = [shapes.internet_gateway(seen) for page in pages for seen in page["InternetGateways"]]
        return _by_id(
            [gateway for gateway in found if not gateway.vpcs or set(gateway.vpcs) & set(self._vpc_ids)]
        )

    def _security_groups(self) -> tuple[SecurityGroup, ...]:
        pages = self._ec2.get_paginator("describe_security_groups").paginate(
            Filters=self._in_vpcs, PaginationConfig={"PageSize": _PAGE}
        )
        return _by_id([shapes.security_group(seen) for page in pages for seen in page["SecurityGroups"]])

    def _network_acls(self) -> tuple[NetworkAcl, ...]:
        pages = self._ec2.get_paginator("describe_network_acls").paginate(
            Filters=self._in_vpcs, PaginationConfig={"PageSize": _PAGE}
        )
        return _by_id([shapes.network_acl(seen) for page in pages for seen in page["NetworkAcls"]])


def _instances(ec2: EC2Client) -> tuple[Instance, ...]:
    """All instances of the region: filtering by N names would not cost less, and paging is asked for."""
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": _PAGE})
    reservations = (reservation for page in pages for reservation in page["Reservations"])
    return _by_id([shapes.instance(seen) for group in reservations for seen in group.get("Instances", [])])


def _vpcs_of_workers(instances: Iterable[Instance], intended: Intended) -> set[str]:
    return {i.vpc for i in instances if i.vpc and i.name in intended.workers and i.state != "terminated"}


def _by_id(found: list[_Noun]) -> tuple[_Noun, ...]:
    """Sorted, each once: pages of a changing list may repeat an entry."""
    return tuple(sorted({noun.id: noun for noun in found}.values(), key=lambda noun: noun.id))
