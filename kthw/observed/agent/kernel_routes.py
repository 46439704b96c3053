"""The one thing of a node that we change on purpose: a kernel route of ours, added or taken away.

Only the program of a session that was opened for provisioning has this module; who looks does not bring it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import subprocess
from typing import Any

from kthw.observed.agent.asked import A_ROUTE, MARK
from kthw.observed.agent.conversation import main as converse
from kthw.observed.agent.system import MOST_DETAIL, AgentError, Looking, UnseenError, tool
from kthw.observed.agent.ways import Entry

WIDEST = 8
"""Of a pod CIDR, bits: a mistake must not take half of the internet."""
SECONDS = 8.0
MOST_ROUTES = 16


def main() -> None:
    """Converse as ever, and add and delete."""
    converse({"add-route": (A_ROUTE, add), "delete-route": (A_ROUTE, delete)})


def add(request: dict[str, Any]) -> dict[str, Any]:
    """``ip route add``, which the kernel refuses where there is one for this destination: none is replaced.

    ``done``: it was added; ``detail``: why not; ``routes``: those for this destination, afterwards.
    """
    looking = _checked(request)
    told = _changed("add", request)
    return dict(told, routes=_routes(request["destination"], looking))


def delete(request: dict[str, Any]) -> dict[str, Any]:
    """Takes away the route through ``via`` that bears our mark, and no other: the kernel compares."""
    looking = _checked(request)
    told: dict[str, Any] = {"done": False, "detail": ""}
    there = _routes(request["destination"], looking)
    if any(each["ours"] and each["via"] == request["via"] for each in there):
        told = _changed("del", request)
    return dict(told, routes=_routes(request["destination"], looking))


def _checked(request: dict[str, Any]) -> Looking:
    """Whether this is the machine that is meant, and the route one that can be."""
    pods, via = ipaddress.IPv4Network(request["destination"]), ipaddress.IPv4Address(request["via"])
    looking = Looking(SECONDS)
    own = [
        address.get("local")
        for link in _seen(looking, lambda: looking.ip("-4", "address"))
        for address in link.get("addr_info", ())
    ]
    if request["node"] not in own:
        raise AgentError("node-unreadable", f"this machine does not have the address {request['node']}")
    first = pods.network_address
    nowhere = first.is_loopback or first.is_multicast or first.is_link_local or first.is_reserved
    if nowhere or pods.prefixlen < WIDEST or via in pods or ipaddress.IPv4Address(request["node"]) in pods:
        raise AgentError("answer-unreadable", "refused: no route to pods", variant="refused")
    return looking


def _changed(verb: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        done = tool(
            "ip", "-4", "route", verb, request["destination"], "via", request["via"], "proto", MARK,
            timeout=SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise AgentError("node-unreadable", f"ip route {verb}: {problem}", tool="ip") from None
    said = " ".join(done.stderr.split())[-300:]
    return {"done": done.returncode == 0, "detail": said if done.returncode else ""}


def _routes(destination: str, looking: Looking) -> list[dict[str, Any]]:
    """Those of the main table for exactly this destination; a number that has a name here is asked for."""
    shown = ("ip", "-4", "-o", "route", "show", "table", "main", "exact", destination)
    every = _seen(looking, lambda: _entries(looking.text(*shown)))
    marked = _seen(looking, lambda: _entries(looking.text(*shown, "proto", MARK)))
    ours = {(each.words.get("via"), each.words.get("dev")) for each in marked}
    return [
        {
            "via": each.words.get("via", "")[:MOST_DETAIL],
            "ours": (each.words.get("via"), each.words.get("dev")) in ours,
            "text": each.text[:MOST_DETAIL],
        }
        for each in every
    ][:MOST_ROUTES]


def _entries(text: str) -> list[Entry]:
    return [Entry(line) for line in text.splitlines() if line.strip()]


def _seen(looking: Looking, look: Any) -> Any:
    with contextlib.suppress(UnseenError, ValueError):
        return look()
    said = [each["detail"] for each in looking.failed] or ["ip: not to be had, or not understood"]
    raise AgentError("node-unreadable", said[0], tool="ip")
