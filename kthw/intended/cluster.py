"""The intended cluster: which workers should be there, and how far the student has come."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from kthw.foreign import printable
from kthw.intended import tutorial

_RANGE: Final = re.compile(r"\[(\d+)-(\d+)\]")
MOST_WORKERS: Final = 2000
MOST_ALSO: Final = 100
_LONGEST: Final = 256
"""Characters of an EC2 tag's value, at most."""
_NO_PART_OF_A_NAME: Final = frozenset("[]{}\"'`\\*?;|,，、；")
"""What shells, patterns and lists are made of: a name with one of them is a list written otherwise."""


AUTO: Final = "auto"
VPC_ROUTES: Final = "vpc-routes"
NODE_ROUTES: Final = "node-routes"
CNI_PLUGIN: Final = "cni-plugin"
NETWORKS: Final = (VPC_ROUTES, NODE_ROUTES, CNI_PLUGIN, AUTO)
"""How packets for another node's pods find it: by a VPC route per worker, by a kernel route per peer on every
node, or by whatever an installed network such as Calico makes of them; or whichever is there."""


class Intended(msgspec.Struct, frozen=True, kw_only=True):
    """``workers`` by Name tag, in order, each once; ``after`` is the last chapter finished.

    ``instances``: by worker, the instance that it is, where it was found otherwise than by a name that was
    typed; its own name is then whatever tells it apart (``k8s-worker@10.0.1.20``). ``expected``: how many
    workers there should be, 0 where nobody said. ``pod_cidrs``: by worker, what ``--pod-cidrs`` or the lab
    file says, where it says one. ``network``: the model that is meant, one of ``NETWORKS``.
    ``also``: by name, the instance, or empty where the name is all that was typed, of each machine that is no
    worker and whose packets must reach pods as well: a controller, a jump host.
    """

    workers: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_WORKERS)]
    after: str = "routes"
    pod_cidrs: dict[str, str] = {}
    instances: dict[str, Annotated[str, msgspec.Meta(pattern=r"\Ai-[0-9a-z]{1,40}\Z")]] = {}
    expected: Annotated[int, msgspec.Meta(ge=0, le=9999)] = 0
    network: str = AUTO
    also: Annotated[
        dict[str, Annotated[str, msgspec.Meta(pattern=r"\A(?:i-[0-9a-z]{1,40})?\Z")]],
        msgspec.Meta(max_length=MOST_ALSO),
    ] = {}

    def __post_init__(self) -> None:
        if self.after not in tutorial.CHAPTERS:
            known = ", ".join(tutorial.CHAPTERS)
            raise ValueError(f"{self.after!r} is no chapter; the chapters are: {known}")
        if self.network not in NETWORKS:
            raise ValueError(f"{self.network!r} is none of {', '.join(NETWORKS)}")
        if not self.instances.keys() <= set(self.workers):
            raise ValueError("instances: of no worker")
        if len(set(self.instances.values())) < len(self.instances):
            raise ValueError("instances: two workers are one")
        if self.also.keys() & set(self.workers):
            raise ValueError("also: a worker")

    def only(self, workers: tuple[str, ...]) -> Intended:
        """The same of these workers, some of its own; how many all of them should be is no longer asked."""
        instances = {worker: self.instances[worker] for worker in workers if worker in self.instances}
        cidrs = {worker: self.pod_cidrs[worker] for worker in workers if worker in self.pod_cidrs}
        return msgspec.structs.replace(
            self, workers=workers, instances=instances, expected=0, pod_cidrs=cidrs
        )

    def with_also(self, others: Intended, typed: str) -> Intended:
        """The same, and the workers of ``others``, for which ``typed`` asked, as machines that are none.

        Raises ``BadNames``.
        """
        named = {name: others.instances.get(name, "") for name in others.workers}
        for name, instance in named.items():
            if name in self.workers or (instance or name) in self.instances.values():
                raise BadNames("run-also-worker", value=typed, name=name)
        if len(named) > MOST_ALSO:
            raise BadNames("run-also-too-many", value=typed, count=str(len(named)), most=str(MOST_ALSO))
        return msgspec.structs.replace(self, also=named)

    @property
    def is_cleaned_up(self) -> bool:
        """Whether nothing of the lab is to be there any more."""
        return self.after == tutorial.CLEANUP

    def has_finished(self, chapter: str) -> bool:
        """Whether ``chapter`` is behind the student."""
        return tutorial.CHAPTERS.index(chapter) <= tutorial.CHAPTERS.index(self.after)


class BadNames(ValueError):  # noqa: N818 -- what was typed is bad, not what we do
    """Text that names no workers, or is no value of an option.

    ``key`` is the phrase of the catalogues that says why, with ``facts``; ``place`` is where it was said,
    where it was not typed: a line of the lab file; ``near``: what was meant, where that can be guessed;
    ``option``: which other option that list of names was given to than ``--workers``, which the phrase says.
    """

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(f"{key}: {facts}")
        self.key = key
        self.facts = facts
        self.place = ""
        self.near = ""
        self.option = ""

    def among(self, known: Sequence[str], typed: str) -> BadNames:
        """Itself, with that of the ``known`` words that ``typed`` is nearest to, if it is near to any."""
        self.near = next(iter(difflib.get_close_matches(typed, known, n=1)), "")
        return self


def is_worker_name(name: str) -> bool:
    """Whether a worker's Name tag looks like that: in any script; a mere number does not."""
    return (
        0 < len(name) <= _LONGEST
        and name == name.strip()
        and name == printable(name, _LONGEST)
        and _NO_PART_OF_A_NAME.isdisjoint(name)
        and not name.startswith("-")
        and not name.isdecimal()
    )


def _has_letters(word: str) -> bool:
    return any(c.isalpha() for c in word)


def worker_names(text: str) -> tuple[str, ...]:
    """The names meant by ``--workers``: comma-separated, each maybe with one range ``worker-[0-199]``.

    Raises ``BadNames`` for an empty list, an empty name, a name given twice, a range that runs backwards
    or is too long, a mere number, names with spaces between them, and what is no worker's name.
    """
    return each_named(text)


def each_named(text: str, is_name: Callable[[str], bool] = lambda _part: True) -> tuple[str, ...]:
    """What ``worker_names`` returns and raises; what is no name by ``is_name`` may be anything."""
    if text.strip().isdecimal():
        # Python refuses to read a number of thousands of digits.
        count = min(int(text.strip()[:9]), MOST_WORKERS)
        names = f"worker-[0-{count - 1}]" if count > 1 else "worker-0"
        raise BadNames("run-workers-count", value=text, names=names)
    found: dict[str, None] = {}
    for part in (part.strip() for part in text.split(",")):
        for name in _expanded(part, text):
            if is_name(name):
                _check(name, text)
            if name in found:
                raise BadNames("run-bad-workers", value=text)
            found[name] = None
    return tuple(found)


def _check(name: str, text: str) -> None:
    if not is_worker_name(name):
        raise BadNames("run-bad-worker-name", value=text, name=name)
    words = name.split()
    if len(words) > 1 and all(is_worker_name(word) and _has_letters(word) for word in words):
        raise BadNames("run-workers-spaces", value=text, names=",".join(words))


def _expanded(part: str, text: str) -> list[str]:
    found = _RANGE.search(part)
    if not found:
        if not part:
            raise BadNames("run-bad-workers", value=text)
        return [part]
    # More digits than any count of workers has are no number worth reading.
    first, last = (int(number) if len(number) < 10 else -1 for number in found.groups())
    if not 0 <= first <= last < first + MOST_WORKERS:
        raise BadNames("run-bad-workers", value=text)
    return [f"{part[: found.start()]}{n}{part[found.end() :]}" for n in range(first, last + 1)]
