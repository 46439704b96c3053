"""What a fault and a healthy variant are, as data."""

from __future__ import annotations

import msgspec


class Told(msgspec.Struct, frozen=True, order=True):
    """One finding as a fault expects it: its code, its worker, and the situation its words are chosen by.

    The sandbox does not judge and does not know the codes; ``tests.faults.test_expected`` holds them.
    """

    code: str
    worker: str
    variant: str = ""

    @classmethod
    def of(cls, text: str) -> Told:
        """From ``route-missing worker-1`` or ``worker-missing.gone worker-1``."""
        what, worker = text.split()
        code, _, variant = what.partition(".")
        return cls(code, worker, variant)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did wrong, and what must be said about it.

    ``breaks``: the shell lines that do it; ``${WORKER_1}`` and the like are the cluster's ids
    (``sandbox.faults.names``). ``expected``: the findings, each ``code worker`` or ``code.variant worker``,
    and no others. ``errors``: what cannot be looked at then, each ``code worker``. ``stage``: the cluster it
    happens in (``sandbox.faults.stages``). ``rounds``: how often one looks, and does what is printed, until
    all is well. ``restores``: what puts things right where no printed command can. ``cleans``: what is left
    to tidy up after the printed commands.
    """

    name: str
    en: str
    pt: str
    breaks: str
    expected: tuple[str, ...]
    errors: tuple[str, ...] = ()
    stage: str = "tutorial"
    rounds: int = 1
    restores: str = ""
    cleans: str = ""

    @property
    def told(self) -> set[Told]:
        return {Told.of(text) for text in self.expected}

    @property
    def codes(self) -> set[str]:
        return {told.code for told in self.told}


class Healthy(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that differs from the tutorial's and is right: nothing must be said about it.

    ``does``: shell lines that make the difference, within ``stage``; ``cleans``: what takes it back.
    """

    name: str
    en: str
    pt: str
    does: str = ""
    cleans: str = ""
    stage: str = "tutorial"


def together(one: Fault, other: Fault) -> Fault:
    """Both at once: what both expect, put right in the reverse order where that takes more than fixes."""
    return Fault(
        name=f"{one.name} + {other.name}",
        en=f"{one.en} {other.en}",
        pt=f"{one.pt} {other.pt}",
        breaks=f"{one.breaks}\n{other.breaks}",
        expected=(*one.expected, *other.expected),
        errors=tuple(dict.fromkeys((*one.errors, *other.errors))),
        stage=one.stage if one.stage != "tutorial" else other.stage,
        rounds=max(one.rounds, other.rounds),
        restores="\n".join(filter(None, (other.restores, one.restores))),
        cleans="\n".join(filter(None, (other.cleans, one.cleans))),
    )
