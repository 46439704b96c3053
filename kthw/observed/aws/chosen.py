"""Workers by selectors, found in the account: one list of its instances, before any test has a name."""

from __future__ import annotations

from msgspec import Struct

from kthw.intended.cluster import Intended
from kthw.intended.selectors import FoundNobody
from kthw.observed import choosing
from kthw.observed.aws import listing
from kthw.observed.aws.elsewhere import met_elsewhere
from kthw.observed.aws.inventory import in_time
from kthw.observed.aws.reader import Reader
from kthw.observed.choosing import Asked
from kthw.target import Target


class Chosen(Struct, frozen=True, kw_only=True):
    """``calls``: what finding the workers cost; ``region`` is where they were looked for."""

    intended: Intended
    region: str
    calls: int


def chosen(target: Target, asked: Asked, text: str, *, expect_account: str = "") -> Chosen:
    """The workers that ``asked`` means, by a list of all instances of the region (a call per 1,000 of them).

    ``GetCallerIdentity`` comes before it where ``expect_account`` says whose they must be. Raises
    ``BadNames``, and ``CouldNotLook``: also where an instance is garbled, as it may be one of them.
    """
    reader = Reader(target)
    if expect_account:
        in_time(reader, "account", lambda: reader.account(expect_account))
    there = in_time(reader, "instances", lambda: listing.tagged(reader.ec2))
    try:
        intended = choosing.chosen(asked, there, text, reader.facts)
    except FoundNobody as nobody:
        abroad = met_elsewhere(reader, nobody.selector)
        nobody.looked = len(abroad.regions)
        nobody.abroad = tuple(
            f"{each.name or '—'} ({each.id}, {each.region}) {each.state}" for each in abroad.found
        )
        nobody.abroad_in = abroad.found[0].region if abroad.found else ""
        raise
    return Chosen(intended=intended, region=reader.region, calls=reader.calls)
