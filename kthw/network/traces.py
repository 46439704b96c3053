"""How far the packets of a pair came: where on the way they were last seen, and where not."""

from __future__ import annotations

import msgspec

from kthw.observed.evidence import Trace

_BETWEEN = 3
"""Of the six places of a way the first three are the sender's; the VPC is between them and this one."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """``situation``: ``request-`` or ``reply-`` with ``on-node`` or ``in-vpc``; else ``astray``, ``through``.

    ``last`` and ``missing`` are places (``eni worker-0``); ``last`` is empty where nobody saw anything.
    ``where`` is the worker on which, or from which, the packet is lost. ``way`` is the whole of it as text.
    """

    situation: str
    way: str
    last: str = ""
    missing: str = ""
    where: str
    astray: tuple[str, ...] = ()


def fate(trace: Trace) -> Fate:
    """What became of the packets that were sent again."""
    there, back = (trace.source, trace.destination), (trace.destination, trace.source)
    for name, ends, seen in (("request", there, trace.request), ("reply", back, trace.reply)):
        places = _places(*ends)
        came = max((places.index(place) for place in seen if place in places), default=-1)
        if came == len(places) - 1:
            continue
        missing = places[came + 1]
        strange = tuple(place for place in seen if place not in places)
        where = missing.split(" ", 1)[1]
        in_vpc = came + 1 == _BETWEEN
        return Fate(
            situation="astray" if strange else f"{name}-in-vpc" if in_vpc else f"{name}-on-node",
            way=_way(trace),
            last=places[came] if came >= 0 else "",
            missing=missing,
            where=ends[0] if in_vpc else where,
            astray=strange,
        )
    return Fate(situation="through", way=_way(trace), where=trace.source)


def _places(source: str, destination: str) -> tuple[str, ...]:
    out = tuple(f"{place} {source}" for place in ("pod", "bridge", "eni"))
    return (*out, *(f"{place} {destination}" for place in ("eni", "bridge", "pod")))


def _way(trace: Trace) -> str:
    """``pod worker-0 → bridge worker-0 ✗``; behind ``·`` the reply, where the request arrived."""
    arrived = trace.request[-1:] == (f"pod {trace.destination}",)
    there = " → ".join(trace.request) or "—"
    if not arrived:
        return f"{there} ✗"
    back = " → ".join(trace.reply) or "—"
    returned = trace.reply[-1:] == (f"pod {trace.source}",)
    return f"{there} · {back}{'' if returned else ' ✗'}"
