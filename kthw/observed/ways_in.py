"""The way in to each worker: at which address, through which jump host; what to say where there is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from threading import Event
from typing import Final

from msgspec.structs import replace

from kthw.errors import JUMP, CouldNotLook, LookError
from kthw.observed.evidence import Instance
from kthw.observed.ssh import names
from kthw.observed.ssh.login import open_session
from kthw.observed.ssh.session import Session
from kthw.target import SshAccess

_NO_ANSWER: Final = ("dropped", "no-route", "refused", "silent", "timeout")
"""Variants of ``ssh-unreachable`` that say that nothing, or nothing of SSH's, is at an address."""
_LIKE_A_JUMP_HOST: Final = ("jump", "bastion", "gateway", "admin", "controller", "master")


@dataclass(frozen=True)
class WaysIn:
    """``jump``: the instance that is the jump host, where it is one. ``others``: what might be one."""

    access: SshAccess
    jump: Instance | None = None
    others: tuple[Instance, ...] = ()

    def to(self, worker: Instance) -> tuple[SshAccess, str]:
        """How to log in, and the address: through a jump host the private one, else the public one if any."""
        if self.access.jump and not (self.jump and self.jump.id == worker.id):
            return self.access, worker.address or worker.public_address
        return replace(self.access, jump="", jump_address=""), worker.public_address or worker.address

    def log_in(
        self, name: str, worker: Instance, *, endpoint: str, stop: Event, writes: bool = False
    ) -> Session:
        """A session with ``worker``, called ``name``; the other words are those of ``open_session``.

        Raises ``CouldNotLook``, about the jump host where that is to blame.
        """
        access, address = self.to(worker)
        subject = f"{name} ({worker.id}, {address})"
        try:
            return open_session(
                access, name, address, subject=subject, endpoint=endpoint, stop=stop, writes=writes
            )
        except CouldNotLook as problem:
            raise CouldNotLook(self.told(problem.error, worker)) from problem

    def told(self, error: LookError, worker: Instance) -> LookError:
        """``error``, as one of a jump host where it is: of the one that is, or of the one that is lacking."""
        variant, candidate = self._situation(error, worker)
        if not variant:
            return error
        told = {"candidate": self._called(candidate)} if candidate else {}
        return replace(error, variant=variant, facts={**error.facts, "vpc": worker.vpc, **told})

    def _situation(self, error: LookError, worker: Instance) -> tuple[str, Instance | None]:
        """The variant that it has then, and what might be the jump host that is lacking; empty as it is."""
        unreachable, other = error.code == "ssh-unreachable", next(iter(self.others), None)
        unanswered = unreachable and error.variant in _NO_ANSWER
        if error.kind == JUMP:
            unknown = error.variant == "unknown-name"
            if unknown and other:
                return "no-such-jump", other
            jump = error.code == "ssh-auth-failed" or unanswered or (unreachable and unknown)
            return ("jump" if jump else ""), None
        private = not worker.public_address and error.resource == worker.address
        if unanswered and private and not self.access.jump:
            return ("private" if other else "private-alone"), other
        return "", None

    def _called(self, instance: Instance) -> str:
        """What ``--ssh-jump`` may call it."""
        alike = [each for each in self.others if each.name == instance.name]
        return instance.name if len(alike) == 1 and names.is_host(instance.name) else instance.public_address


def ways_in(access: SshAccess, instances: Iterable[Instance], workers: Collection[Instance]) -> WaysIn:
    """The ways in to ``workers``; a jump host may be called by its Name tag, its id or an address."""
    vpcs = {worker.vpc for worker in workers if worker.vpc}
    there = [each for each in instances if each.vpc in vpcs and each.state == "running"]
    others = sorted((each for each in there if each.public_address), key=_likeness)
    try:
        _, host, _ = names.jump("--ssh-jump", access.jump)
    except names.UnfitNameError:  # or none: whoever logs in says so
        return WaysIn(access, None, tuple(others))
    found = [each for each in others if host in (each.name, each.id, each.public_address)]
    if len(found) == 1:
        return WaysIn(replace(access, jump_address=found[0].public_address), found[0], tuple(others))
    # A private address is reached as it was typed: from within the VPC, or through a tunnel of one's own.
    return WaysIn(access, next((each for each in there if each.address == host), None), tuple(others))


def _likeness(instance: Instance) -> tuple[int, str, str]:
    name = instance.name.lower()
    rank = next((n for n, word in enumerate(_LIKE_A_JUMP_HOST) if word in name), len(_LIKE_A_JUMP_HOST))
    return rank, name, instance.id
