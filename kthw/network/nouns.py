"""Nouns that print themselves: the same wherever a thing is told of."""

from __future__ import annotations

from kthw.observed.evidence import Instance


def instance_noun(instance: Instance, name: str = "") -> str:
    """``worker-1 (i-0ab…, 10.0.1.21)``; the id alone stands first where there is no Name tag."""
    name = name or instance.name
    about = ", ".join(filter(None, (instance.id if name else "", instance.address)))
    return f"{name or instance.id} ({about})" if about else name or instance.id
