"""Which pod CIDR each worker is meant to have, as the option or the lab file says it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from kthw.intended.cluster import BadNames

_PLACE: Final = re.compile(r"\{\s*(?P<what>n|number)\s*(?P<more>[+-]\s*\d{1,6})?\s*\}")
SMALLEST: Final = 30
"""The longest prefix that leaves a pod an address: ``host-local`` refuses others."""
WIDEST: Final = 8
_NUMBER: Final = re.compile(r"\d+")


def pod_cidrs(text: str, workers: Sequence[str]) -> dict[str, str]:
    """The pod CIDR by worker, in order of ``workers``.

    ``text`` is a pattern (``10.200.{n}.0/24``; ``{n}`` is the place in ``workers``, from 0, ``{number}`` the
    last number in the name, either with ``+1`` or so behind it), or a list ``worker-0=10.200.0.0/24,…``, in
    which a worker may be missing. Raises ``BadNames``, whose phrase says what to type instead.
    """
    if "=" in text:
        return _listed(text, workers)
    said = {worker: _filled(text, place, worker) for place, worker in enumerate(workers)}
    cidrs = list(said.values())
    for worker, cidr in said.items():
        if not _is_network(cidr):
            raise BadNames("run-bad-pod-cidr", value=text, cidr=cidr, worker=worker)
    if len(set(cidrs)) < len(cidrs):
        twice = next(cidr for cidr in cidrs if cidrs.count(cidr) > 1)
        raise BadNames("run-same-pod-cidrs", value=text, cidr=twice)
    return said


def _listed(text: str, workers: Sequence[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[,\s]+", text))):
        worker, _, cidr = part.rpartition("=")
        if worker not in workers:
            raise BadNames("run-pod-cidr-of-nobody", value=part, worker=worker, names=", ".join(workers[:5]))
        if not _is_network(cidr):
            raise BadNames("run-bad-pod-cidr", value=part, cidr=cidr, worker=worker)
        if worker in said:
            raise BadNames("run-pod-cidr-twice", value=text, worker=worker)
        said[worker] = cidr
    return {worker: said[worker] for worker in workers if worker in said}


def _filled(pattern: str, place: int, worker: str) -> str:
    def number(found: re.Match[str]) -> str:
        if found["what"] == "n":
            start = place
        else:
            numbers = _NUMBER.findall(worker)
            if not numbers:
                raise BadNames("run-no-number", value=pattern, worker=worker)
            start = int(numbers[-1][-9:])
        return str(start + int((found["more"] or "0").replace(" ", "")))

    return _PLACE.sub(number, pattern.strip())


def _is_network(text: str) -> bool:
    """Whether ``text`` is an IPv4 network in CIDR notation, large enough for the CNI plugins."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return str(network) == text and WIDEST <= network.prefixlen <= SMALLEST
