"""What the journal's entries come to: which routes are known to be ours, and which may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from kthw.provision.entry import Entry, Place

_OVER: Final = ("deleted", "gone", "left", "kept")
_TAKING_BACK: Final = ("delete-intended", "delete-refused", "restore-intended", "restore-refused")
_MADE: Final = ("created", "replaced")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A route that a run of ours made or may have made; ``entry`` is that run's last word on making it.

    ``made``: AWS said yes to that run, and no other has since found the route missing. ``deleting``: a
    deletion was begun, and nobody knows what came of it.
    """

    entry: Entry
    made: bool
    deleting: bool = False

    @property
    def known(self) -> bool:
        """Whether a route that looks like this one is known to be ours. No tag of EC2 could tell."""
        return self.made and not self.deleting

    def led_to(self, target: str) -> bool:
        """Whether the route, as this run made it, led there."""
        return target in (self.entry.target, *self.entry.network_interfaces)


def claims(entries: Iterable[Entry]) -> list[Claim]:
    """By route, the claim of the last run that meant to make it, oldest route first.

    A run means to make a route only after it has seen that there is none. So one that another run had
    made before is gone; or AWS's listing was behind, and it may be that one still. A run that replaces one
    which another of ours had made has both: what is taken back first is the later.
    """
    made: dict[tuple[Place, str, str], dict[str, Claim]] = {}
    for entry in entries:
        runs = made.setdefault(entry.route, {})
        if entry.event in _OVER:
            runs.clear()
        elif entry.event in _TAKING_BACK:
            deleting = entry.event.endswith("-intended")
            runs.update({run: replace(claim, deleting=deleting) for run, claim in runs.items()})
        elif entry.event == "restored":
            if runs:
                runs.popitem()
            runs.update({run: replace(claim, deleting=False) for run, claim in runs.items()})
        elif entry.event in ("create-refused", "replace-refused"):
            runs.pop(entry.run, None)
        else:
            if entry.event == "create-intended":
                runs.update({run: replace(claim, made=False) for run, claim in runs.items()})
            elif entry.event == "replace-intended" and entry.run not in runs:
                # It led elsewhere than an earlier run of ours had pointed it: that run's is no more.
                for run in [run for run, claim in runs.items() if not claim.led_to(entry.before)]:
                    del runs[run]
            # Put at the end: the later run's word counts.
            runs.pop(entry.run, None)
            runs[entry.run] = Claim(entry=entry, made=entry.event in _MADE)
    return [list(runs.values())[-1] for runs in made.values() if runs]
