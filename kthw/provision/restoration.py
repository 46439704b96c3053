"""One route that we pointed at its worker and that is to lead again where it led before."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.observed.aws.reader import LOOKING_FAILS_WITH, aws_code, look_error
from kthw.provision import commands
from kthw.provision.deletion import Deletion, End, Events, is_what_we_made
from kthw.provision.fate import fate_of
from kthw.provision.plan import route_for
from kthw.provision.targets import restorable

_NO_ROUTE: Final = ("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound")


class Restoration(Deletion):
    """The work on one route that is known to be of our making, and led elsewhere before: ``entry.before``."""

    events = Events("restore-intended", "restore-refused")

    def _asked(self) -> End | None:
        step, before = self._step, self._entry.before
        try:
            there = route_for(step.pod_cidr, self._writer.tables([step.route_table]).get(step.route_table))
            if there is None:
                return "gone"
            if self._unsure and restorable(there) == before:
                return "restored"
            if not is_what_we_made(there, self._entry):
                self._step = replace(step, detail=f"{there.target} {there.state}")
                return "left"
            self._writer.replace(step, before)
        except CouldNotLook as problem:
            self._fate = "refused"
            self._step = replace(step, detail=problem.error.detail)
        except LOOKING_FAILS_WITH as problem:
            code = aws_code(problem)
            if code == "InvalidRoute.NotFound":
                return "gone"
            error = look_error(problem, step.route_table, worker=step.worker, **self._writer.facts)
            if code.endswith("NotFound") and code not in _NO_ROUTE:
                # What it led to is no more: nothing can lead there again.
                command = commands.delete_route(step.route_table, step.pod_cidr)
                self._step = replace(step, detail=error.detail, command=command)
                return "kept"
            self._fate = fate_of(problem)
            self._unsent += self._fate == "unsent"
            self._unsure = self._unsure or self._fate == "unknown"
            self._step = replace(step, detail=error.detail)
        else:
            return "restored"
        return None
