"""What the node's firewall asks of pods' packets: its chains, as the node's own tools print them.

Nothing is loaded or made by asking: ``iptables-save`` prints the tables there are. Chains of forwarded
packets are told in any case; those at the other hooks that packets of pods pass, where they drop anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kthw.observed.agent.system import Looking, UnseenError, read, where_is

MOST_RULES = 2000
MOST_CHARACTERS = 1_000_000
"""In all chains together; beyond it, a chain is cut short and says so."""
MOST_RULE = 4000
"""Characters of one rule."""
MOST_CHAINS = 2000
LEGACY_TABLES = "/proc/net/ip_tables_names"
HOOKS = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
"""In the order of a packet's way."""
_TABLES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
"""Those of iptables that drop packets, and when their chains are asked at a hook: the lowest first."""
_PRIORITIES = dict(_TABLES, dstnat=-100, srcnat=100, out=100)
"""The names that nft has for such numbers."""
_NFT_TABLE = re.compile(r"table (ip|inet|netdev|bridge) (\S+) \{")
_NFT_ANY_TABLE = re.compile(r"table \w+ \S+ \{")
_NFT_CHAIN = re.compile(r"chain (\S+) \{")
_NFT_HOOK = re.compile(
    r"type (filter|nat|route) hook (\w+)(?: devices? (?:= )?(\{[^}]*\}|\S+))?"
    r" priority ([a-z]*) ?([+-]?) ?(\d*);(?: policy (\w+);)?"
)
_DROPS = re.compile(r"\b(?:drop|reject|DROP|REJECT)\b")
_NFT_TARGET = re.compile(r"(?:jump|goto) ([^\s,;}]+)")
_IPTABLES_TARGET = re.compile(r"-[jg] (\S+)")
_NO_KERNEL = re.compile(r"(?:Protocol|Operation) not supported")
"""What a tool says where the kernel has nothing of its kind: then no packet meets any of it."""
_POLICIES = ("ACCEPT", "DROP")

if TYPE_CHECKING:  # Python 3.8 could not say it as it runs
    _Tables = dict[str, dict[str, Any]]
    """By table, ``{chain: {"policy", "rules"}}``; ``policy`` is empty for one the kernel does not call, else
    there are ``hook`` and ``priority``, and of nft ``devices`` and ``nat``.
    """


def chains(looking: Looking) -> list[dict[str, Any]] | None:
    """The chains that pods' packets pass, in the kernel's order: each base chain, then what it jumps to.

    ``None`` where no tool is there to say, or where any could not: the rules it did not tell may matter.
    """
    by_variant, unseen = saved(looking, _of_iptables)
    listed: _Tables | None = None
    try:
        listed = of_nft(text_of_tool(looking, "nft", "-a", "list", "ruleset"), looking)
    except UnseenError:
        unseen = unseen or "nft" not in looking.lacking
    if unseen or (listed is None and not by_variant):
        return None
    found: list[list[dict[str, Any]]] = []
    known: set[str] = set()
    for name, tables in by_variant:
        if name != "iptables-legacy":
            known.update(f"ip {table}" for table in tables)
        for table in _TABLES:
            found += _groups(command_of(name), table, tables.get(table, {}), _IPTABLES_TARGET)
    for table, called in (listed or {}).items():
        if table not in known:
            found += _groups("nft", table, called, _NFT_TARGET)
    found.sort(key=lambda group: (HOOKS.index(group[0]["hook"]), group[0]["priority"]))
    return _bounded([group for group in found if group[0]["hook"] == "forward" or _may_drop(group)])


def saved(
    looking: Looking, read_as: Callable[[str, str, Looking], Any], *options: str
) -> tuple[list[tuple[str, Any]], bool]:
    """What each variant of iptables-save prints, by ``read_as``, and whether any could not.

    The legacy one is asked only where its tables are in use.
    """
    try:
        in_use = bool(read(LEGACY_TABLES))
    except OSError:
        in_use = False
    found: list[tuple[str, Any]] = []
    unseen = False
    # The last is for a system with one variant only, under its plain name.
    for name, wanted in (("iptables-nft", True), ("iptables-legacy", in_use), ("iptables", None)):
        if wanted if wanted is not None else not found and not unseen:
            program = f"{name}-save"
            try:
                found.append((name, read_as(text_of_tool(looking, program, *options), program, looking)))
            except UnseenError:
                unseen = unseen or program not in looking.lacking
    return found, unseen


def text_of_tool(looking: Looking, *command: str) -> str:
    """What the tool prints; one that the kernel does not know at all is as good as not there."""
    done = looking.run(*command)
    if not done.returncode:
        return done.stdout
    said = " ".join(done.stderr.split())[-300:]
    if _NO_KERNEL.search(said):
        looking.lacking.append(command[0])
        raise UnseenError
    raise looking.fail(command[0], f"exit status {done.returncode}: {said}")


def command_of(variant: str) -> str:
    """The command that changes what ``variant`` prints: plain ``iptables`` where that is the same program."""
    plain, own = (where_is(f"{name}-save") for name in ("iptables", variant))
    same = plain and own and Path(plain).resolve() == Path(own).resolve()
    return "iptables" if same else variant


def _of_iptables(text: str, program: str, looking: Looking) -> _Tables:
    """Raises ``UnseenError`` for what iptables-save does not print."""
    tables: _Tables = {}
    called: dict[str, Any] = {}
    kind = ""
    for line in (line.rstrip() for line in text.splitlines()):
        words = line.split()
        if line.startswith("*") and len(words) == 1:
            kind = line[1:]
            called = tables.setdefault(kind, {})
        elif line.startswith(":") and tables and len(words) > 1:
            name, policy = words[0][1:], words[1]
            hook = name.lower()
            if policy in _POLICIES and hook in HOOKS and hook.upper() == name:
                where = {"hook": hook, "priority": _TABLES.get(kind, 0)}
                called[name] = dict(where, policy=policy, rules=[])
            else:
                called[name] = {"policy": "", "rules": []}
        elif line.startswith("-A ") and tables and len(words) > 1:
            called.setdefault(words[1], {"policy": "", "rules": []})["rules"].append(line)
        elif line and not line.startswith("#") and line != "COMMIT":
            raise looking.fail(program, "printed what is no table of iptables")
    return tables


def of_nft(text: str, looking: Looking) -> _Tables:
    """The chains of every IPv4 table. What is no rule (sets, maps, flow tables) is inside other braces.

    Raises ``UnseenError`` for what ``nft list ruleset`` does not print.
    """
    tables: _Tables = {}
    called: dict[str, Any] | None = None
    chain: dict[str, Any] | None = None
    depth = 0
    for line in (line.strip() for line in text.splitlines()):
        opens = _NFT_TABLE.match(line) if depth == 0 else None
        begins = _NFT_CHAIN.match(line) if depth == 1 and called is not None else None
        if opens:
            called = tables.setdefault(f"{opens[1]} {opens[2]}", {})
        elif begins and called is not None:
            chain = called.setdefault(begins[1], {"policy": "", "rules": []})
        elif depth == 2 and chain is not None and line != "}":
            hooked = _NFT_HOOK.match(line)
            if hooked and hooked[2] in HOOKS:
                chain.update(_hooked(hooked))
            elif line and not line.startswith(("type ", "policy ", "comment ")):
                chain["rules"].append(line)
        elif depth == 0 and line and not line.startswith("#") and not _NFT_ANY_TABLE.match(line):
            depth = -1
        depth += _braces(line)
        if depth < 0:
            break
        called = called if depth else None
        chain = chain if depth > 1 else None
    if depth:
        raise looking.fail("nft", "list ruleset: printed what is no list of tables")
    return tables


def _braces(line: str) -> int:
    """By how many braces a line opens more than it closes; those in quotes are text."""
    bare = re.sub(r'"[^"]*"', "", line)
    return bare.count("{") - bare.count("}")


def _hooked(said: re.Match[str]) -> dict[str, Any]:
    """What a base chain of nft says of itself."""
    kind, hook, devices, name, sign, number, policy = said.groups(default="")
    told: dict[str, Any] = {"policy": (policy or "accept").upper(), "hook": hook}
    told["priority"] = _PRIORITIES.get(name, 0) + int(f"{sign}{number or 0}")
    told["devices"] = re.findall(r"[^\s{},\"]+", devices)
    told["nat"] = kind == "nat"
    return told


def _groups(
    command: str, table: str, called: dict[str, Any], target: re.Pattern[str]
) -> Iterator[list[dict[str, Any]]]:
    """Each base chain, and all it jumps to."""
    for base in [name for name, about in called.items() if about["policy"]]:
        waiting = [base]
        reached: dict[str, dict[str, Any]] = {}
        while waiting:
            name = waiting.pop(0)
            if name in called and name not in reached:
                reached[name] = {"tool": command, "table": table, "name": name, **called[name]}
                waiting += [to for rule in called[name]["rules"] for to in target.findall(rule)]
        yield list(reached.values())


def _may_drop(group: list[dict[str, Any]]) -> bool:
    return any(chain["policy"] == "DROP" or any(map(_DROPS.search, chain["rules"])) for chain in group)


def _bounded(groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Each chain once; it ends before the rule that is too long, or one too many: what follows is not known.

    Those of forwarded packets come before all others where there is not room for all.
    """
    rules, characters = MOST_RULES, MOST_CHARACTERS
    told: dict[tuple[str, ...], dict[str, Any]] = {}
    for group in sorted(groups, key=lambda group: group[0]["hook"] != "forward"):
        for chain in group:
            told.setdefault(_key(chain), chain)
    for chain in list(told.values())[:MOST_CHAINS]:
        kept = 0
        for rule in chain["rules"]:
            if not rules or len(rule) > min(MOST_RULE, characters):
                chain["cut"] = True
                break
            kept, rules, characters = kept + 1, rules - 1, characters - len(rule)
        chain["rules"] = chain["rules"][:kept]
    bounded = dict(list(told.items())[:MOST_CHAINS])
    in_order = dict.fromkeys(_key(chain) for group in groups for chain in group)
    return [bounded[key] for key in in_order if key in bounded]


def _key(chain: dict[str, Any]) -> tuple[str, ...]:
    return chain["tool"], chain["table"], chain["name"]
