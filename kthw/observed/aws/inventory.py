"""What AWS says the network is: with ``listing``, which reads its pages, the only module that reads EC2.

All lists are read page by page: EC2 asks for it, and refuses sooner where it is not done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.intended.cluster import Intended
from kthw.observed.aws import concerned, listing, shapes
from kthw.observed.aws.answers import UnreadableAnswerError
from kthw.observed.aws.crew import Crew
from kthw.observed.aws.elsewhere import some_of_the_region
from kthw.observed.aws.errors import UNREADABLE, too_slow
from kthw.observed.aws.listing import Listed
from kthw.observed.aws.reader import LOOKING_FAILS_WITH, THREADS, Reader, aws_code, look_error, looking
from kthw.observed.aws.user_data import read_user_data
from kthw.observed.evidence import Instance, Inventory, PrefixList, RouteTable, UserData
from kthw.observed.namesakes import Roll, candidates
from kthw.settling import settled

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

Progress = Callable[[int, int], None]
_T = TypeVar("_T")

_SETTLING_SECONDS: Final = 4.0
"""How long a listed instance may stay unknown to another call before it counts as gone."""
_FIRST_WAIT: Final = 0.5
_STEP_SECONDS: Final = 60.0
"""For each of the first two calls, and for reading the routes again, all retries and pages included."""
_READING_SECONDS: Final = 150.0
_SECONDS_PER_WORKER: Final = 0.1
"""For the whole reading: twice what the reader's rate asks for, and some patience."""

_LISTS: Final[Mapping[str, tuple[str, Callable[..., Listed[Any]]]]] = {
    "vpc": ("vpcs", listing.vpcs),
    "subnet": ("subnets", listing.subnets),
    "route-table": ("route_tables", lambda ec2, vpcs: listing.route_tables(ec2, "vpc-id", vpcs)),
    "internet-gateway": ("internet_gateways", listing.internet_gateways),
    "security-group": ("security_groups", listing.security_groups),
    "network-acl": ("network_acls", listing.network_acls),
}
"""By kind, the field of the inventory and what reads it."""


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

    Returns the inventory and what could not be looked at: single workers' user data, and what AWS's answers
    garble (``kind``; with a worker, or without where it concerns them all). Where a route table is
    lacking that may rule a worker's subnet, none is in the inventory: another would be taken for it.
    Raises ``CouldNotLook`` where nothing can be known: credentials, region, ``wrong-account`` (when
    ``expect_account`` is another), a Describe call refused, no answer in time.

    API calls: ``GetCallerIdentity``, ``DescribeInstances``, six more Describe calls, and one
    ``DescribeInstanceAttribute`` per worker: N + 8, and a page more for every further 1,000 instances of
    the region or 100 route tables. Without any worker it is two calls. One ``GetManagedPrefixListEntries``
    more (a page: 100 entries) for each prefix list that a route of the VPCs or a group of a worker names.
    ``progress(done, of)`` counts the calls after the first two.
    """
    until = time.monotonic() + _reading_seconds(intended)
    account = in_time(reader, "account", lambda: reader.account(expect_account))
    everywhere = in_time(reader, "instances", lambda: listing.instances(reader.ec2))
    roll = Roll(intended)
    vpcs = _vpcs_of_workers(everywhere.nouns, roll)
    instances = [i for i in everywhere.nouns if roll.worker(i.id, i.name) or (i.vpc and i.vpc in vpcs)]
    if not vpcs:
        instances += some_of_the_region(everywhere.nouns, intended)
    inventory = Inventory(account=account, region=reader.region, instances=tuple(instances))
    errors = concerned.by_instances(everywhere.unfit, intended, vpcs, reader.facts)
    if not vpcs:
        return inventory, tuple(errors)
    garbled = {error.worker for error in errors}
    inventory, more = _Look(reader, intended, inventory, sorted(vpcs), garbled, progress).all(until)
    return inventory, (*more, *errors)


def reread_routes(
    reader: Reader, inventory: Inventory, intended: Intended
) -> tuple[Inventory, tuple[LookError, ...]]:
    """``inventory`` with its VPCs' route tables as they are now; one call (per 100 tables).

    Errors as ``read_inventory`` has them.
    """
    vpcs = [vpc.id for vpc in inventory.vpcs]
    seen = in_time(reader, "route tables", lambda: listing.route_tables(reader.ec2, "vpc-id", vpcs))
    inventory = msgspec.structs.replace(inventory, route_tables=seen.nouns)
    garbled = {"route-table": [concerned.error(each, reader.facts) for each in seen.unfit]}
    return _without_doubtful_tables(inventory, concerned.by_network(inventory, intended, garbled))


def route_tables(
    ec2: EC2Client, by: Literal["vpc-id", "route-table-id"], values: Sequence[str]
) -> tuple[RouteTable, ...]:
    """The route tables selected by a filter; unlike asking by id, one that is gone is just not there.

    Raises ``UnreadableAnswerError`` where one is there and garbled: it is not to be taken for gone.
    """
    seen = listing.route_tables(ec2, by, values)
    for garbled in seen.unfit:
        raise UnreadableAnswerError(detail=" ".join(filter(None, (garbled.id, garbled.detail))))
    return seen.nouns


class _Look:
    """The parallel part of a reading: six Describe calls and the user data of every worker."""

    def __init__(
        self,
        reader: Reader,
        intended: Intended,
        inventory: Inventory,
        vpcs: list[str],
        garbled: set[str],
        progress: Progress,
    ) -> None:
        self._reader = reader
        self._ec2 = reader.ec2
        self._intended = intended
        self._inventory = inventory
        self._vpcs = vpcs
        # A name that several could mean is not asked about: nobody can tell whose user data counts. Nor is a
        # worker that AWS garbles, so that nobody makes a route to it.
        meant = candidates(inventory.instances, intended)
        self._workers = {
            name: found[0] for name, found in meant.items() if len(found) == 1 and name not in garbled
        }
        self._progress = progress

    def all(self, until: float) -> tuple[Inventory, tuple[LookError, ...]]:
        crew = Crew(THREADS, "aws")
        try:
            lists = {kind: crew.submit(read, self._ec2, self._vpcs) for kind, (_, read) in _LISTS.items()}
            said = {name: crew.submit(self._user_data, worker) for name, worker in self._workers.items()}
            self._wait([*lists.values(), *said.values()], until)
            self._refuse_half_a_network(lists.values())
            unread = {kind: self._listed(kind, call) for kind, call in lists.items()}
            self._with_prefix_lists(crew, len(lists) + len(said), until)
        finally:
            crew.dismiss()
        errors = self._with_user_data(said)
        errors += concerned.by_network(self._inventory, self._intended, unread)
        return _without_doubtful_tables(self._inventory, errors)

    def _wait(self, calls: Sequence[Future[Any]], until: float, before: int = 0) -> None:
        of = before + len(calls)
        self._progress(before, of)
        try:
            for _ in as_completed(calls, max(0.0, until - time.monotonic())):
                before += 1
                self._progress(before, of)
        except TimeoutError:
            pass  # what is not done is told as that

    def _refuse_half_a_network(self, network: Iterable[Future[Any]]) -> None:
        """Raise the first refusal; when permissions are lacking, one error names all of them."""
        problems = [problem for problem in map(_failed, network) if problem]
        refusals = [problem for problem in problems if not isinstance(problem, UNREADABLE)]
        errors = [self._error(problem, "network") for problem in refusals]
        if not errors:
            return
        denied = sorted({error.facts["action"] for error in errors if error.code == "access-denied"})
        error = next((error for error in errors if error.code != "access-denied"), errors[0])
        if error.code == "access-denied":
            facts = {**error.facts, "action": ", ".join(denied)}
            error = msgspec.structs.replace(error, facts=facts)
        raise CouldNotLook(error) from refusals[0]

    def _listed(self, kind: str, call: Future[Listed[Any]]) -> list[LookError]:
        """Put into the inventory what was read; return what was not, about the whole kind or single ones."""
        field, _ = _LISTS[kind]
        if not call.done():
            return [self._too_slow(field, kind=kind)]
        problem = _failed(call)
        if problem:
            return [self._error(problem, field, kind=kind)]
        seen = call.result()
        self._inventory = msgspec.structs.replace(self._inventory, **{field: seen.nouns})
        return [concerned.error(each, self._reader.facts) for each in seen.unfit]

    def _with_prefix_lists(self, crew: Crew, before: int, until: float) -> None:
        """Put into the inventory the lists it names, and why one could not be read: it may not matter."""
        named = concerned.prefix_lists(self._inventory, self._intended)
        calls = {each: crew.submit(listing.prefix_list, self._ec2, each) for each in named}
        if calls:
            self._wait([*calls.values()], until, before)
        found = tuple(self._prefix_list(each, call) for each, call in calls.items())
        self._inventory = msgspec.structs.replace(self._inventory, prefix_lists=found)

    def _prefix_list(self, named: str, call: Future[PrefixList]) -> PrefixList:
        if not call.done():
            return PrefixList(id=named, unread=self._too_slow(named))
        problem = _failed(call)
        return PrefixList(id=named, unread=self._error(problem, named)) if problem else call.result()

    def _with_user_data(self, said: dict[str, Future[UserData | None]]) -> list[LookError]:
        """Put into the inventory what workers were launched with, and leave out who vanished meanwhile."""
        now = {instance.id: instance for instance in self._inventory.instances}
        errors: list[LookError] = []
        for name, call in sorted(said.items()):
            worker = self._workers[name]
            subject = f"{name} ({worker.id}, {worker.address})"
            if not call.done():
                errors.append(self._too_slow(subject, worker=name, kind="user-data"))
            elif problem := _failed(call):
                errors.append(self._error(problem, subject, worker=name, kind="user-data"))
            elif (user_data := call.result()) is None:
                del now[worker.id]
            else:
                now[worker.id] = msgspec.structs.replace(worker, user_data=user_data)
        self._inventory = msgspec.structs.replace(self._inventory, instances=tuple(now.values()))
        return errors

    def _error(self, problem: BaseException, subject: str, *, worker: str = "", kind: str = "") -> LookError:
        if not isinstance(problem, LOOKING_FAILS_WITH):
            raise problem
        return look_error(problem, subject, worker=worker, kind=kind, **self._reader.facts)

    def _too_slow(self, subject: str, *, worker: str = "", kind: str = "") -> LookError:
        seconds = _reading_seconds(self._intended)
        facts = self._reader.facts
        return too_slow(self._reader.refusal, subject, seconds, worker=worker, kind=kind, **facts)

    def _user_data(self, worker: Instance) -> UserData | None:
        """``None`` where AWS no longer knows the instance it has just listed."""

        def ask() -> UserData | None:
            try:
                said = self._ec2.describe_instance_attribute(InstanceId=worker.id, Attribute="userData")
            except LOOKING_FAILS_WITH as problem:
                if aws_code(problem) != "InvalidInstanceID.NotFound":
                    raise
                return None
            return read_user_data(shapes.user_data(said))

        return settled(ask, lambda said: said is not None, seconds=_SETTLING_SECONDS, first=_FIRST_WAIT)


def in_time(reader: Reader, subject: str, call: Callable[[], _T]) -> _T:
    """What ``call`` returns or raises. Raises ``CouldNotLook`` where it does neither within a step's time."""

    def looked() -> _T:
        with looking(subject, **reader.facts):
            return call()

    crew = Crew(1, "aws")
    result = crew.submit(looked)
    try:
        return result.result(_STEP_SECONDS)
    except TimeoutError:
        raise CouldNotLook(too_slow(reader.refusal, subject, _STEP_SECONDS, **reader.facts)) from None
    finally:
        crew.dismiss()


def _reading_seconds(intended: Intended) -> float:
    return _READING_SECONDS + _SECONDS_PER_WORKER * len(intended.workers)


def _failed(call: Future[Any]) -> BaseException | None:
    return call.exception() if call.done() else None


def _without_doubtful_tables(
    inventory: Inventory, errors: Sequence[LookError]
) -> tuple[Inventory, tuple[LookError, ...]]:
    """No table where one is lacking that may rule a worker's subnet: the main one would pass for it."""
    if any(error.kind == "route-table" for error in errors):
        inventory = msgspec.structs.replace(inventory, route_tables=())
    return inventory, tuple(errors)


def _vpcs_of_workers(instances: Iterable[Instance], roll: Roll) -> set[str]:
    return {i.vpc for i in instances if i.vpc and i.state != "terminated" and roll.worker(i.id, i.name)}
