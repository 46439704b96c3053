"""Where workers are that this region lacks: a look into the account's other regions, one call each.

It only says where else to look, so nothing depends on it: a region that does not answer, or not in time, is
passed over.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from typing import Final, TypeVar

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.intended.cluster import Intended
from kthw.intended.selectors import NAME, Selector
from kthw.observed.aws import listing
from kthw.observed.aws.crew import Crew
from kthw.observed.aws.reader import LOOKING_FAILS_WITH, THREADS, Reader
from kthw.observed.choosing import Tagged
from kthw.observed.evidence import Elsewhere, Instance, Inventory, Namesake
from kthw.observed.namesakes import GONE, Roll, candidates, letters
from kthw.target import REGION

_T = TypeVar("_T")
Progress = Callable[[int, int], None]

_SECONDS: Final = 20.0
"""For all regions together, that of the list of regions included."""
_MOST_NAMES: Final = 200
"""Values of one filter, at most; of more missing workers the first ones tell enough."""
_MOST_PAGES: Final = 5
_MOST_NAMESAKES: Final = 3
_MOST_STRANGERS: Final = 20
_MOST_REGIONS: Final = 100


def looked_elsewhere(
    reader: Reader,
    inventory: Inventory,
    intended: Intended,
    errors: Iterable[LookError],
    progress: Progress,
) -> Inventory:
    """``inventory`` with ``elsewhere``, where any worker is in no VPC of this region; else as it is.

    API calls: none where all are here, else ``DescribeRegions`` and a ``DescribeInstances`` per region (a
    page more for every further 1,000 namesakes). A sandbox of our own is in one region, and is not asked.
    """
    garbled = {error.worker for error in errors}
    missing = [name for name, found in candidates(inventory.instances, intended).items() if not found]
    known = garbled | intended.instances.keys()
    missing = [name for name in missing if name not in known][:_MOST_NAMES]
    if not missing or "" in garbled or reader.target.kind == "sandbox":
        return inventory
    look = _Look(reader, {NAME: missing}, lambda each: each.instance.name in missing)
    return replace(inventory, elsewhere=look.all(progress))


def met_elsewhere(reader: Reader, selector: Selector) -> Elsewhere:
    """The other regions, and who meets the selector there: ``DescribeRegions`` and a call for each."""
    filters = {key: [wanted] for key, wanted in selector.filters}
    return _Look(reader, filters, lambda each: selector.meets(each.facts)).all(lambda _done, _of: None)


def some_of_the_region(instances: Iterable[Instance], intended: Intended) -> list[Instance]:
    """Who is there where no worker is: a few, those with a name like a worker's first.

    Of strangers no more is kept than tells which they are.
    """
    meant = {letters(worker) for worker in intended.workers}
    roll = Roll(intended)
    there = [i for i in instances if i.state not in GONE and not roll.worker(i.id, i.name)]
    there.sort(key=lambda each: (letters(each.name) not in meant, not each.name, each.name, each.id))
    return [
        Instance(id=each.id, state=each.state, name=each.name, address=each.address)
        for each in there[:_MOST_STRANGERS]
    ]


class _Look:
    def __init__(
        self, reader: Reader, filters: Mapping[str, Sequence[str]], meant: Callable[[Tagged], bool]
    ) -> None:
        self._reader = reader
        self._filters = filters
        self._meant = meant
        self._until = time.monotonic() + _SECONDS

    def all(self, progress: Progress) -> Elsewhere:
        crew = Crew(THREADS, "regions")
        try:
            named = crew.submit(listing.regions, self._reader.ec2)
            regions = _result(named, self._left) or self._reader.known_regions()
            others = [name for name in regions if REGION.fullmatch(name) and name != self._reader.region]
            others = sorted(set(others))[:_MOST_REGIONS]
            looks = {crew.submit(self._in, region): region for region in others}
            progress(0, len(looks))
            answered = self._answered(looks, progress)
        finally:
            crew.dismiss()
        found = [each for region in sorted(answered) for each in answered[region]]
        return Elsewhere(regions=tuple(sorted(answered)), found=_few(found))

    def _answered(
        self, looks: Mapping[Future[list[Namesake]], str], progress: Progress
    ) -> dict[str, list[Namesake]]:
        answered: dict[str, list[Namesake]] = {}
        try:
            for done, look in enumerate(as_completed(looks, self._left), start=1):
                progress(done, len(looks))
                seen = _result(look, 0)
                if seen is not None:
                    answered[looks[look]] = seen
        except TimeoutError:
            pass  # who has not answered by now is passed over
        return answered

    @property
    def _left(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def _in(self, region: str) -> list[Namesake]:
        with self._reader.abroad(region) as ec2:
            seen = listing.tagged(ec2, self._filters, most_pages=_MOST_PAGES)
        found = [each.instance for each in seen if self._meant(each) and each.instance.state not in GONE]
        return [Namesake(name=each.name, id=each.id, region=region, state=each.state) for each in found]


def _result(call: Future[_T], seconds: float) -> _T | None:
    try:
        return call.result(seconds)
    except (*LOOKING_FAILS_WITH, TimeoutError):
        return None


def _few(found: Iterable[Namesake]) -> tuple[Namesake, ...]:
    """Of each name as many as a person reads."""
    told: defaultdict[str, list[Namesake]] = defaultdict(list)
    for each in found:
        if len(told[each.name]) < _MOST_NAMESAKES:
            told[each.name].append(each)
    return tuple(each for name in sorted(told) for each in told[name])
