"""A route that leads elsewhere and is pointed at its worker, where that was asked for (``--replace-wrong``).

What it led to is in the journal before the request goes out: that is what a rollback points it at again. A
route that is not any more as it was planned on is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.observed.evidence import ProvisionStep
from kthw.provision import commands
from kthw.provision.creation import Creation, Events
from kthw.provision.plan import judged_by, without_overlaps

_WRONG: Final = ("wrong-target", "blackhole")


def replacing(steps: Sequence[ProvisionStep]) -> tuple[ProvisionStep, ...]:
    """A plan in which routes that lead elsewhere are to be replaced (``replace``).

    Those whose target could not be given back stay as they are. Where two workers claim the same addresses,
    neither's route is touched (``impossible``, ``pod-cidr-overlap``).
    """
    return without_overlaps(
        [
            replace(step, outcome="replace") if step.outcome in _WRONG and step.before else step
            for step in steps
        ]
    )


class Replacement(Creation):
    """The work on one ``replace`` step."""

    events = Events("replace-intended", "replaced", "replace-unknown", "replace-refused")

    def _ask(self) -> bool:
        return self._writer.replace(self.step, self.step.target)

    def _there(self, age: float) -> ProvisionStep | None:
        try:
            now = judged_by(self.step, self._look(self.step.route_table, age))
        except CouldNotLook as problem:
            self._detail = problem.error.detail
            return self._maybe() if self._unsure else self._failed("failed")
        if now.outcome == "exists":
            return self._maybe() if self._unsure else now
        if now.outcome in _WRONG and now.before == self.step.before:
            return None
        return replace(now, outcome="changed", detail=now.detail or "—", before="")

    def _created(self) -> ProvisionStep:
        return replace(self.step, outcome="replaced", detail=self.step.before)

    def _maybe(self) -> ProvisionStep:
        step = self.step
        command = commands.replace_route(step.route_table, step.pod_cidr, step.before)
        return replace(step, outcome="unsure", command=command, detail=self._detail)
