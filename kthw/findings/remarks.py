"""All that is worth a word and is nothing wrong."""

from __future__ import annotations

from typing import Final

from kthw.findings.kept_routes import not_kept
from kthw.findings.remark import Remark
from kthw.intended import tutorial
from kthw.network.model import Network
from kthw.network.said import Said, Saying

_MOST_LISTED: Final = 12
"""Workers whose pod CIDRs are written out for an option."""


def remarks(network: Network) -> tuple[Remark, ...]:
    """All there are, by code and then in the order of the workers."""
    each = {worker: said for worker in network.workers if (said := network.said(worker))}
    assumed = [f"{w}={said.saying.cidr}" for w, said in each.items() if said.saying and said.is_assumed]
    option = ",".join(assumed) if len(assumed) <= _MOST_LISTED else f"{assumed[0]},…"
    told = [remark for worker, said in each.items() for remark in _of(network, worker, said, option)]
    return tuple(sorted([*told, *not_kept(network)], key=lambda remark: remark.code))


def _of(network: Network, worker: str, said: Said, option: str) -> list[Remark]:
    if said.saying is None:
        return []
    found = []
    if said.read.statement:
        statement = said.read.statement
        form = "separated" if statement.key == tutorial.POD_CIDR_KEY else statement.form
        found.append(_remark(network, worker, "pod-cidr-said-otherwise", said.saying, variant=form))
    if said.is_assumed:
        found.append(_remark(network, worker, "pod-cidr-assumed", said.saying, option=option))
    for other in said.others:
        facts = {"other": other.cidr, "other_where": other.noun}
        found.append(_remark(network, worker, "pod-cidr-disagrees", said.saying, **facts))
    return found


def _remark(network: Network, worker: str, code: str, saying: Saying, **facts: str) -> Remark:
    each = {"pod_cidr": saying.cidr, "where": saying.noun, "key": saying.where, **facts}
    return Remark(code=code, subject=network.noun(worker), worker=worker, facts=each)
