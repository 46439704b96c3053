"""Nouns that print themselves: the same wherever a thing is told of."""

from __future__ import annotations

from collections.abc import Sequence

from kthw.network.prefix_lists import ListedRoute
from kthw.observed.evidence import Instance, Route


def instance_noun(instance: Instance, name: str = "") -> str:
    """``worker-1 (i-0ab…, 10.0.1.21)``; the id alone stands first where there is no Name tag."""
    name = name or instance.name
    about = ", ".join(filter(None, (instance.id if name else "", instance.address)))
    return f"{name or instance.id} ({about})" if about else instance.id


def name_tag(instance: Instance | None, worker: str) -> str:
    """The Name tag that the worker's instance bears, or should."""
    return (instance.name if instance else "") or worker


def destination_noun(route: Route) -> str:
    """``10.200.1.0/24``, with the prefix list it is an entry of: ``10.200.1.0/24 (pl-0ab…)``."""
    return f"{route.destination} ({route.listed_in})" if isinstance(route, ListedRoute) else route.destination


def some(each: Sequence[str], most: int) -> str:
    """The first of them, and how many there are where that is not all: ``a, b, … (12)``."""
    return ", ".join(each[:most]) + (f", … ({len(each)})" if len(each) > most else "")
