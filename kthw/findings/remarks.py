"""All that is worth a word and is nothing wrong."""

from __future__ import annotations

from typing import Final

from kthw.findings.bridge_netfilter import bypassed
from kthw.findings.kept_routes import not_kept
from kthw.findings.remark import Remark
from kthw.intended import tutorial
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin
from kthw.network.said import Said, Saying
from kthw.observed.cni_networks import not_counting, pod_network

NOT_COUNTING: Final = "cni-file-not-counting"
_MOST_LISTED: Final = 12
"""Workers whose pod CIDRs are written out for an option."""


def remarks(network: Network) -> tuple[Remark, ...]:
    """All there are, by code and then in the order of the workers."""
    workers = () if by_plugin(network) else network.workers
    each = [(w, said, said.saying) for w in workers if (said := network.said(w)) and said.saying]
    assumed = [f"{worker}={saying.cidr}" for worker, said, saying in each if said.is_assumed]
    option = ",".join(assumed) if len(assumed) <= _MOST_LISTED else f"{assumed[0]},…"
    told = [remark for each_of in each for remark in _of(network, *each_of, option)]
    told += [*not_kept(network), *_not_counting(network), *bypassed(network)]
    return tuple(sorted(told, key=lambda remark: remark.code))


def _not_counting(network: Network) -> list[Remark]:
    """By worker, the CNI files of another network than the one its pods are on."""
    found = []
    for worker in network.workers:
        node = network.evidence.nodes.get(worker)
        counts = pod_network(node) if node else None
        for each in not_counting(node) if node else ():
            files = {"file": each.file, "counts": counts.file if counts else "—"}
            paths = {name: tutorial.cni_path(file) for name, file in files.items()}
            facts = {**paths, "kind": each.type}
            told = Remark(code=NOT_COUNTING, worker=worker, subject=network.noun(worker), facts=facts)
            found.append(told)
    return found


def _of(network: Network, worker: str, said: Said, saying: Saying, option: str) -> list[Remark]:
    found = []
    if said.read.statement:
        statement = said.read.statement
        form = "separated" if statement.key == tutorial.POD_CIDR_KEY else statement.form
        found.append(_remark(network, worker, "pod-cidr-said-otherwise", saying, variant=form))
    if said.is_assumed:
        found.append(_remark(network, worker, "pod-cidr-assumed", saying, option=option))
    for other in said.others:
        facts = {"other": other.cidr, "other_where": other.noun}
        found.append(_remark(network, worker, "pod-cidr-disagrees", saying, **facts))
    return found


def _remark(
    network: Network, worker: str, code: str, saying: Saying, variant: str = "", **facts: str
) -> Remark:
    each = {"pod_cidr": saying.cidr, "where": saying.noun, "key": saying.where, **facts}
    return Remark(code=code, subject=network.noun(worker), worker=worker, variant=variant, facts=each)
