"""Could-not-look: the one exception that is never a finding and never a pass."""

from __future__ import annotations

from typing import Final

import msgspec

from kthw.foreign import printable

CODES: Final = frozenset(
    {
        "credentials-missing",
        "credentials-expired",
        "credentials-refused",
        "access-denied",
        "region-missing",
        "wrong-account",
        "throttled",
        "aws-unreachable",
        "aws-refused",
        "aws-unreadable",
        "ssh-unreachable",
        "ssh-auth-failed",
        "ssh-key-unusable",
        "ssh-host-key-unknown",
        "ssh-host-key-changed",
        "sudo-denied",
        "python-missing",
        "cni-failed",
        "probe-timeout",
        "answer-unreadable",
        "node-unreadable",
        "evidence-unreadable",
        "journal-damaged",
        "journal-unusable",
        "route-left-behind",
        "route-table-busy",
        "routes-changed",
        "sandbox-unavailable",
    }
)


JUMP: Final = "jump"
"""The ``kind`` of an error at a jump host."""


class LookError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that could not be looked at, as data; goes into the evidence and the report.

    ``subject`` is the noun that could not be looked at (``worker-1 (i-0ab…, 10.0.1.21)``, ``account``,
    ``region``), ``detail`` what the other side said, verbatim but free of secrets. ``worker`` is the
    intended worker's name, or empty when the whole run is concerned.

    ``kind``: of what AWS did not tell (``route-table``, ``user-data``, ``nameless`` …), and ``resource`` the
    id of the one that it is, empty where it is all of them or has no id that can be read. ``destination``:
    of ``routes-changed``, the CIDR or prefix list whose route changed. Empty where they make no sense.

    Of a login, and of what came after it: ``kind`` is ``JUMP`` where it is a host on the way that was not
    got into, ``resource`` the address that was dialled and ``user`` who it was tried as. Of
    ``wrong-account``: ``resource`` is the account that answered.

    ``variant``: the situation within the code, that chooses its words. ``facts`` only fills their
    placeholders; nothing is decided by them.
    """

    code: str
    subject: str
    detail: str = ""
    worker: str = ""
    kind: str = ""
    resource: str = ""
    destination: str = ""
    user: str = ""
    variant: str = ""
    facts: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown error code {self.code!r}")


class CouldNotLook(Exception):  # noqa: N818 -- it is the domain's word: could-not-look is not looked-and-wrong
    """Raised where looking failed. ``error`` is the same thing as data."""

    def __init__(self, error: LookError) -> None:
        super().__init__(printable(f"{error.code}: {error.subject}: {error.detail}", 2000))
        self.error = error
