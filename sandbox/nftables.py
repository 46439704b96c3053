"""What one nftables table holds, as plain data, and the script that turns one such into another. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Named:
    """A set, map or chain: its declaration and its members (elements, or rules in order)."""

    declaration: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ruleset:
    """What the table of a family (``ip vpc``) holds, by name; ``sets``: the maps as well."""

    table: str
    sets: dict[str, Named] = field(default_factory=dict)
    chains: dict[str, Named] = field(default_factory=dict)

    def set(self, name: str, kind: str, members: Iterable[str]) -> None:
        """Let it hold this set."""
        self.sets[name] = Named(f"set NAME {{ {kind}; }}", tuple(sorted({*members})))

    def map(self, name: str, kind: str, members: Iterable[str]) -> None:
        """Let it hold this map; ``members``: ``key : value``."""
        self.sets[name] = Named(f"map NAME {{ {kind}; }}", tuple(sorted({*members})))

    def chain(self, name: str, hook: str, members: Iterable[str]) -> None:
        """Let it hold this chain; without a ``hook`` it is one to jump to."""
        self.chains[name] = Named(f"{{ {hook} }}" if hook else "", tuple(members))


def plain(identifier: str) -> str:
    """An id of AWS as part of a name in nftables."""
    return identifier.replace("-", "_")


def difference(before: Ruleset | None, after: Ruleset) -> str:
    """The script, one transaction, that turns ``before`` into ``after``; empty when equal.

    ``None`` is a table of which nothing is known: whatever it held is gone in the same transaction.
    """
    table = after.table
    if before is None:
        anew = f"add table {table}\ndelete table {table}\nadd table {table}\n"
        return anew + difference(Ruleset(table), after)
    lines: list[str] = []
    for name, named in after.sets.items():
        if name not in before.sets:
            lines.append(f"add {named.declaration.replace('NAME', f'{table} {name}')}")
    for name, named in after.chains.items():
        if name not in before.chains:
            lines.append(f"add chain {table} {name} {named.declaration}".rstrip())
    for name, named in before.sets.items():
        gone = {*named.members} - {*(after.sets[name].members if name in after.sets else ())}
        lines += _elements("delete", f"{table} {name}", gone)
    for name, named in after.chains.items():
        if name not in before.chains or before.chains[name].members != named.members:
            lines.append(f"flush chain {table} {name}")
            lines += [f"add rule {table} {name} {rule}" for rule in named.members]
    for name, named in after.sets.items():
        new = {*named.members} - {*(before.sets[name].members if name in before.sets else ())}
        lines += _elements("add", f"{table} {name}", new)
    gone_chains = [name for name in before.chains if name not in after.chains]
    lines += [f"flush chain {table} {name}" for name in gone_chains]
    lines += [f"delete chain {table} {name}" for name in gone_chains]
    for name, named in before.sets.items():
        if name not in after.sets:
            lines.append(f"delete {named.declaration.split(' ', 1)[0]} {table} {name}")
    return "\n".join(lines) + "\n" if lines else ""


def _elements(action: str, where: str, members: Iterable[str]) -> list[str]:
    listed = sorted(members)
    if action == "delete":
        # A map's element is deleted by its key alone.
        listed = [member.split(" : ")[0] for member in listed]
    return [f"{action} element {where} {{ {', '.join(listed)} }}"] if listed else []
