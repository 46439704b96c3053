"""What the kernel says it has: for whoever may not trust what is remembered."""

from __future__ import annotations

import json
from typing import Any

from sandbox import namespaces


def look(namespace: str, question: str) -> list[dict[str, Any]]:
    """The rows ``ip -json`` answers (``question`` without the word ``ip``); tables and kinds
    as the kernel's numbers, whatever the machine's iproute2 calls them.

    Raises ``CommandError``.
    """
    said = namespaces.run(["ip", "-n", namespace, "-N", "-j", *question.split()])
    # Where there is nothing, some questions are answered with nothing and some with [{}].
    return [row for row in json.loads(said or "[]") if row]


def named() -> set[str]:
    """The network namespaces there are, by name."""
    return {path.name for path in namespaces.NAMED.iterdir()}
