"""What the node's firewall asks of forwarded packets: its chains, as the node's own tools print them.

Nothing is loaded or made by asking: ``iptables-save`` prints the tables there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
_FORWARDED = ("mangle", "filter", "security")
"""The tables of iptables whose FORWARD chain the kernel asks, in its order."""
_NFT_TABLE = re.compile(r"table (ip|inet) (\S+) \{")
_NFT_ANY_TABLE = re.compile(r"table \w+ \S+ \{")
_NFT_CHAIN = re.compile(r"chain (\S+) \{")
_NFT_FORWARD = re.compile(r"type filter hook forward .*?;(?: policy (\w+);)?")
_NFT_TARGET = re.compile(r"(?:jump|goto) ([^\s,;}]+)")
_IPTABLES_TARGET = re.compile(r"-[jg] (\S+)")
_NO_KERNEL = re.compile(r"(?:Protocol|Operation) not supported")
"""What a tool says where the kernel has nothing of its kind: then no packet meets any of it."""
_POLICIES = ("ACCEPT", "DROP")

if TYPE_CHECKING:  # Python 3.8 could not say it as it runs
    _Tables = dict[str, dict[str, Any]]
    """By table, ``{chain: {"policy", "rules"}}``; ``policy`` is empty for one the kernel does not call."""


def chains(looking: Looking) -> list[dict[str, Any]] | None:
    """The chains that forwarded packets pass, base chains first.

    ``None`` where no tool is there to say, or where any could not: the rules it did not tell may matter.
    """
    saved, unseen = _saved(looking)
    listed: _Tables | None = None
    try:
        listed = _of_nft(_text(looking, "nft", "-a", "list", "ruleset"), looking)
    except UnseenError:
        unseen = unseen or "nft" not in looking.lacking
    if unseen or (listed is None and not saved):
        return None
    found: list[dict[str, Any]] = []
    known: set[str] = set()
    for name, tables in saved:
        if name != "iptables-legacy":
            known.update(f"ip {table}" for table in tables)
        for table in _FORWARDED:
            called = tables.get(table, {})
            found += _reached(_command(name), table, called, ["FORWARD"], _IPTABLES_TARGET)
    for table, called in (listed or {}).items():
        if table not in known:
            base = [chain for chain, about in called.items() if about["policy"]]
            found += _reached("nft", table, called, base, _NFT_TARGET)
    return _bounded(found)


def _saved(looking: Looking) -> tuple[list[tuple[str, _Tables]], bool]:
    """What each variant of iptables-save prints, and whether any could not.

    The legacy one is asked only where its tables are in use.
    """
    try:
        in_use = bool(read(LEGACY_TABLES))
    except OSError:
        in_use = False
    found: list[tuple[str, _Tables]] = []
    unseen = False
    # The last is for a system with one variant only, under its plain name.
    for name, wanted in (("iptables-nft", True), ("iptables-legacy", in_use), ("iptables", None)):
        if wanted if wanted is not None else not found and not unseen:
            try:
                found.append((name, _of_iptables(_text(looking, f"{name}-save"), f"{name}-save", looking)))
            except UnseenError:
                unseen = unseen or f"{name}-save" not in looking.lacking
    return found, unseen


def _text(looking: Looking, *command: str) -> str:
    """What the tool prints; one that the kernel does not know at all is as good as not there."""
    done = looking.run(*command)
    if not done.returncode:
        return done.stdout
    said = " ".join(done.stderr.split())[-300:]
    if _NO_KERNEL.search(said):
        looking.lacking.append(command[0])
        raise UnseenError
    raise looking.fail(command[0], f"exit status {done.returncode}: {said}")


def _command(variant: str) -> str:
    """The command that changes what ``variant`` prints: plain ``iptables`` where that is the same program."""
    plain, own = (where_is(f"{name}-save") for name in ("iptables", variant))
    same = plain and own and Path(plain).resolve() == Path(own).resolve()
    return "iptables" if same else variant


def _of_iptables(text: str, program: str, looking: Looking) -> _Tables:
    """Raises ``UnseenError`` for what iptables-save does not print."""
    tables: _Tables = {}
    called: dict[str, Any] = {}
    for line in (line.rstrip() for line in text.splitlines()):
        words = line.split()
        if line.startswith("*") and len(words) == 1:
            called = tables.setdefault(line[1:], {})
        elif line.startswith(":") and tables and len(words) > 1:
            name, policy = words[0][1:], words[1]
            called[name] = {"policy": policy if policy in _POLICIES else "", "rules": []}
        elif line.startswith("-A ") and tables and len(words) > 1:
            called.setdefault(words[1], {"policy": "", "rules": []})["rules"].append(line)
        elif line and not line.startswith("#") and line != "COMMIT":
            raise looking.fail(program, "printed what is no table of iptables")
    return tables


def _of_nft(text: str, looking: Looking) -> _Tables:
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
            hooked = _NFT_FORWARD.match(line)
            if hooked:
                chain["policy"] = (hooked[1] or "accept").upper()
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


def _reached(
    command: str, table: str, called: dict[str, Any], base: Iterable[str], target: re.Pattern[str]
) -> Iterator[dict[str, Any]]:
    """The base chains and all they jump to, each once."""
    waiting = [name for name in base if name in called]
    seen = set(waiting)
    while waiting:
        name = waiting.pop(0)
        about = called[name]
        yield {"tool": command, "table": table, "name": name, **about}
        for rule in about["rules"]:
            for to in target.findall(rule):
                if to in called and to not in seen:
                    seen.add(to)
                    waiting.append(to)


def _bounded(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A chain ends before the rule that is too long, or one too many: what follows is not known then."""
    rules, characters = MOST_RULES, MOST_CHARACTERS
    for chain in found:
        kept = 0
        for rule in chain["rules"]:
            if not rules or len(rule) > min(MOST_RULE, characters):
                chain["cut"] = True
                break
            kept, rules, characters = kept + 1, rules - 1, characters - len(rule)
        chain["rules"] = chain["rules"][:kept]
    return found[:MOST_CHAINS]
