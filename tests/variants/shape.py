"""What a shape is: a lab that several public variants build, and what the suite says about it. Data."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from kthw.findings.codes import CODES
from kthw.intended import tutorial
from sandbox.lab import Lab


@dataclass(frozen=True, kw_only=True)
class Shape:
    """``said``: the findings, each ``code worker``; ``all`` stands for every worker in turn.

    ``packets``: whether it is looked at with packets; where they add nothing AWS alone is asked. ``plugin``:
    the network whose business pods' routes are, where a CNI plugin brings one; ``silent``: it makes pods for
    kubelet only, so no packet is sent.
    """

    name: str
    en: str
    pt: str
    lab: Lab
    said: tuple[str, ...] = ()
    packets: bool = False
    plugin: str = ""
    silent: bool = False

    def told(self, workers: tuple[str, ...]) -> set[tuple[str, str]]:
        """What is expected, by code and worker."""
        found = set()
        for each in self.said:
            code, _, worker = each.partition(" ")
            if code not in CODES:
                raise ValueError(f"unknown finding code {code!r}")
            found |= {(code, one) for one in (workers if worker == "all" else (worker,))}
        return found


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A public repository: the ``shapes`` that its readers build, by name, and what they type besides.

    ``ssh``: the options by which its workers are logged in to; ``workers``: another value of ``--workers``
    than the shape's, whose names differ.
    """

    repo: str
    shapes: tuple[str, ...]
    ssh: str = ""
    workers: str = ""

    @property
    def user(self) -> str:
        """Whom one logs in as there."""
        words = shlex.split(self.ssh)
        return dict(zip(words[::2], words[1::2], strict=True)).get("--ssh-user", tutorial.SSH_USER)
