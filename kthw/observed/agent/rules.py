"""The kernel's policy rules that drop packets before any table is asked, or have another one asked."""

from __future__ import annotations

import ipaddress
from typing import Any

from kthw.observed.agent.system import MOST_DETAIL, Looking

MOST_RULES = 64
DROPPING = ("blackhole", "unreachable", "prohibit")
_FIRST = "lookup local"
"""The table of the node's own addresses, which every kernel asks first."""
_MAIN = "from all lookup main"
_UNKNOWN: dict[str, Any] = {}


def policy(looking: Looking) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those that drop, asked before another rule hands packets to a table; and those that have another table
    asked before the main one. Both in the kernel's order.

    One with a condition that is not understood (a mark, a port, ``not``) is left out. Raises ``UnseenError``.
    """
    dropping: list[dict[str, Any]] = []
    lookups: list[dict[str, Any]] = []
    for line in looking.text("ip", "-4", "-o", "rule", "show").splitlines():
        priority, _, said = line.partition(":")
        words = [word for word in said.split() if word != "[detached]"]
        text = " ".join(words)
        if text.endswith(_FIRST):
            continue
        if not words or text == _MAIN:
            break
        rule = _rule(priority, words)
        if words[-1] in DROPPING:
            dropping += [rule] if rule and not lookups else []
        else:
            lookups += [rule] if rule and rule["kind"] == "lookup" else [_UNKNOWN]
    return dropping[:MOST_RULES], [rule for rule in lookups if rule][:MOST_RULES]


def _rule(priority: str, words: list[str]) -> dict[str, Any] | None:
    table = ""
    if len(words) > 1 and words[-2] == "lookup":
        table, words = words[-1], [*words[:-2], "lookup"]
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
        "text": " ".join([*words, *([table] if table else [])])[:MOST_DETAIL],
        **({"table": table} if table else {}),
    }
