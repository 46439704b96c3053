"""The kernel's policy rules that drop packets before any routing table is asked where they go."""

from __future__ import annotations

import ipaddress
from typing import Any

from kthw.observed.agent.system import MOST_DETAIL, Looking

MOST_RULES = 64
DROPPING = ("blackhole", "unreachable", "prohibit")
_FIRST = "lookup local"
"""The table of the node's own addresses, which every kernel asks first."""


def dropping(looking: Looking) -> list[dict[str, Any]]:
    """Those that are asked before another rule hands packets to a table, in the kernel's order.

    One with a condition that is not understood (a mark, a port, ``not``) is left out. Raises ``UnseenError``.
    """
    found = []
    for line in looking.text("ip", "-4", "-o", "rule", "show").splitlines():
        priority, _, said = line.partition(":")
        words = [word for word in said.split() if word != "[detached]"]
        if " ".join(words).endswith(_FIRST):
            continue
        if not words or words[-1] not in DROPPING:
            break
        rule = _rule(priority, words)
        if rule:
            found.append(rule)
    return found[:MOST_RULES]


def _rule(priority: str, words: list[str]) -> dict[str, Any] | None:
    conditions = {word: words[n + 1] for n, word in enumerate(words[:-1]) if n % 2 == 0}
    if not priority.isdigit() or len(words) % 2 == 0 or not set(conditions) <= {"from", "to", "iif"}:
        return None
    ranges = {}
    for what in ("from", "to"):
        said = conditions.get(what, "all")
        try:
            ranges[what] = "" if said == "all" else str(ipaddress.IPv4Network(said))
        except ValueError:
            return None
    return {
        "priority": int(priority),
        "kind": words[-1],
        "source": ranges["from"],
        "destination": ranges["to"],
        "entering": conditions.get("iif", ""),
        "text": " ".join(words)[:MOST_DETAIL],
    }
