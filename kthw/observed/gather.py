"""One look at everything: AWS, the nodes and their pods, and the routes again before failure is believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.intended.cluster import Intended
from kthw.observed.aws.concerned import NAMELESS
from kthw.observed.aws.elsewhere import looked_elsewhere
from kthw.observed.aws.image_users import with_image_users
from kthw.observed.aws.inventory import read_inventory, reread_routes
from kthw.observed.aws.leftovers import read_leftovers
from kthw.observed.aws.reader import Reader, facts_of
from kthw.observed.changed import changes
from kthw.observed.evidence import Counts, Evidence, Inventory, ProvisionStep, Sent, TargetSeen
from kthw.observed.namesakes import machines_running
from kthw.settling import settled
from kthw.target import Target

Progress = Callable[[str, int, int], None]
"""``(phase, done, of)``; phases: ``aws``, ``regions``, ``provision``, and those of ``kthw.observed.pods``."""
Provision = Callable[[Reader, Inventory], tuple[ProvisionStep, ...]]
Doubt = Callable[[Evidence], tuple[Sent, ...]]
Found = Callable[[TargetSeen], None]

PACKETS_AFTER: Final = "workers"
"""The chapter that makes pods possible: before it there is nothing to see on a node."""
_SETTLING_SECONDS: Final = 10.0
"""How long a route AWS has just created may stay unlisted (EC2 is eventually consistent)."""


def _silent(_phase: str, _done: int, _of: int) -> None:
    pass


def gather(
    target: Target,
    intended: Intended,
    *,
    provision: Provision | None = None,
    expect_account: str = "",
    progress: Progress = _silent,
    found: Found = lambda _seen: None,
    doubt: Doubt = lambda _evidence: (),
) -> Evidence:
    """Look once; return all that was seen, and what could not be looked at as ``errors``.

    ``provision`` is called between two looks at the routes and returns what it did. Nodes are not
    looked at where no packets can be sent (``target.no_packets``) or pods come with a later chapter.
    After the last chapter only what is left is looked for.
    ``found`` is told what the target is, as soon as it is known and before anything is created. ``doubt``:
    which packets are to be sent besides, after what the nodes and the probes told.
    Nothing is raised for a failure to look: where AWS cannot be looked at, ``inventory`` is ``None``.
    """
    look = _Look(target, intended, progress)
    try:
        found(look.evidence.target)
        if intended.is_cleaned_up:
            look.leftovers(expect_account)
            found(look.evidence.target)
            return look.evidence
        look.aws(expect_account)
        found(look.evidence.target)
        if provision:
            look.provisioned_by(provision)
    except CouldNotLook as problem:
        look.failed(problem.error)
    else:
        if not target.no_packets and intended.has_finished(PACKETS_AFTER):
            look.nodes(doubt)
        look.routes_again()
    return look.evidence


def nothing(kind: str, intended: Intended, error: LookError) -> Evidence:
    """The evidence of a run that did not get as far as a target."""
    return Evidence(gathered_at=_now(), target=TargetSeen(kind=kind), intended=intended, errors=(error,))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Look:
    def __init__(self, target: Target, intended: Intended, progress: Progress) -> None:
        self._target = target
        self._progress = progress
        self._reader: Reader | None = None
        facts = facts_of(target)
        self._evidence = Evidence(
            gathered_at=_now(),
            target=TargetSeen(
                kind=target.kind,
                endpoint=facts["endpoint"],
                region=facts["region"],
                no_packets=target.no_packets,
            ),
            intended=intended,
        )

    @property
    def evidence(self) -> Evidence:
        calls = self._reader.calls if self._reader else 0
        counts = msgspec.structs.replace(self._evidence.counts, aws_calls=calls)
        return msgspec.structs.replace(self._evidence, counts=counts)

    def aws(self, expect_account: str) -> None:
        self._progress("aws", 0, 0)
        self._reader = Reader(self._target)
        inventory, errors = read_inventory(
            self._reader,
            self._evidence.intended,
            expect_account=expect_account,
            progress=lambda done, of: self._progress("aws", done, of),
        )
        inventory = looked_elsewhere(
            self._reader,
            inventory,
            self._evidence.intended,
            errors,
            progress=lambda done, of: self._progress("regions", done, of),
        )
        seen = msgspec.structs.replace(
            self._evidence.target,
            account=inventory.account,
            region=inventory.region,
            arn=self._reader.arn,
        )
        self._add(inventory=inventory, target=seen, errors=errors)

    def leftovers(self, expect_account: str) -> None:
        """After the last chapter: what is left of the lab, and no network."""
        self._progress("aws", 0, 0)
        self._reader = Reader(self._target)
        account, left, errors = read_leftovers(
            self._reader, self._evidence.intended, expect_account=expect_account
        )
        region = self._reader.region
        seen = msgspec.structs.replace(
            self._evidence.target, account=account, region=region, arn=self._reader.arn
        )
        self._add(
            inventory=Inventory(account=account, region=region), leftovers=left, target=seen, errors=errors
        )

    def provisioned_by(self, provision: Provision) -> None:
        reader, inventory = self._reader, self._evidence.inventory
        nameless = any(error.kind == NAMELESS for error in self._evidence.errors)
        if reader is None or inventory is None or nameless:
            # An instance that may be any worker's: nobody knows where a route should lead; that is told.
            return
        self._progress("provision", 0, 0)
        try:
            steps = provision(reader, inventory)
        except CouldNotLook as problem:
            # Nothing was created, or not all; what is there is judged all the same.
            self._add(errors=(*self._evidence.errors, problem.error))
            steps = ()
        inventory, errors = self._settled(reader, inventory, steps)
        self._add(provisioned=steps, inventory=inventory, errors=(*self._evidence.errors, *errors))

    def _settled(
        self, reader: Reader, inventory: Inventory, steps: tuple[ProvisionStep, ...]
    ) -> tuple[Inventory, tuple[LookError, ...]]:
        created = {(step.route_table, step.pod_cidr) for step in steps if step.outcome == "created"}

        def all_listed(read: tuple[Inventory, tuple[LookError, ...]]) -> bool:
            now, errors = read
            listed = {(table.id, route.destination) for table in now.route_tables for route in table.routes}
            return bool(errors) or created <= listed

        return settled(
            lambda: reread_routes(reader, inventory, self._evidence.intended),
            all_listed,
            seconds=_SETTLING_SECONDS,
            first=0.25,
        )

    def nodes(self, doubt: Doubt) -> None:
        # SSH is loaded only where it is used: judging a recorded run and AWS-only runs never need it.
        from kthw.observed.pods import look_into_nodes

        inventory = self._evidence.inventory
        if inventory is None:
            return
        seen = look_into_nodes(
            self._target,
            inventory,
            self._evidence.intended,
            progress=self._progress,
            doubt=lambda so_far: doubt(
                msgspec.structs.replace(self._evidence, nodes=so_far.nodes, probes=so_far.probes)
            ),
        )
        self._add(
            nodes=seen.nodes,
            probes=seen.probes,
            traces=seen.traces,
            sent=seen.sent,
            errors=(*self._evidence.errors, *self._with_image_users(inventory, seen.errors)),
            counts=Counts(ssh_sessions=seen.ssh_sessions),
        )

    def _with_image_users(self, inventory: Inventory, errors: tuple[LookError, ...]) -> tuple[LookError, ...]:
        if self._reader is None:
            return errors
        machines = machines_running(inventory.instances, self._evidence.intended)
        return with_image_users(self._reader, inventory, machines, errors)

    def routes_again(self) -> None:
        """Look at the routes once more before a failure is believed, or that what was made was there.

        Another run, on another machine, may have taken away routes that this one relied on.
        """
        reader, seen = self._reader, self._evidence
        failed = any(probe.kind == "pod" and not probe.reached for probe in seen.probes)
        if reader is None or seen.inventory is None or not (failed or seen.provisioned):
            return
        try:
            now, garbled = reread_routes(reader, seen.inventory, seen.intended)
        except CouldNotLook as problem:
            errors: tuple[LookError, ...] = (problem.error,)
        else:
            # A table that is garbled now is no change; what it would have told is not known.
            errors = garbled or changes(seen.inventory, now, seen.intended, seen.provisioned)
        self._add(errors=(*seen.errors, *errors))

    def failed(self, error: LookError) -> None:
        seen = self._evidence.target
        if error.code == "wrong-account":
            region = self._reader.region if self._reader else seen.region
            arn = self._reader.arn if self._reader else ""
            seen = msgspec.structs.replace(seen, account=error.resource, region=region, arn=arn)
        self._add(inventory=None, target=seen, errors=(*self._evidence.errors, error))

    def _add(self, **seen: object) -> None:
        self._evidence = msgspec.structs.replace(self._evidence, **seen)
