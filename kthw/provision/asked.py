"""Which workers, and which machines besides, provisioning was asked about."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.intended import tutorial
from kthw.intended.cluster import AUTO, Intended
from kthw.intended.selectors import Selector, asked_workers
from kthw.lab.given import Given
from kthw.observed.aws.chosen import chosen
from kthw.target import Target


def intended(target: Target, given: Given) -> Intended:
    """Asks AWS where somebody is called otherwise than by name. Raises ``BadNames``, ``CouldNotLook``."""
    network = given.checked("network") or AUTO
    with given.blamed("workers"):
        meant = _named(target, given, given.value("workers") or tutorial.WORKERS)
    cidrs = given.pod_cidrs(meant.workers, {})
    meant = replace(meant, pod_cidrs=cidrs, network=network)
    also = given.value("also")
    if also is None:
        return meant
    with given.blamed("also"):
        return meant.with_also(_named(target, given, also), also)


def _named(target: Target, given: Given, text: str) -> Intended:
    asked = asked_workers(text)
    if any(isinstance(each, Selector) for each in asked):
        return chosen(target, asked, text, expect_account=given.checked("expect-account")).intended
    return Intended(workers=tuple(str(each) for each in asked))
