"""What the node's firewall asks of forwarded packets: its chains, as the node's own tools print them.

Nothing is loaded or made by asking: ``iptables-save`` prints the tables there are.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kthw.observed.agent.system import PATH, read, tool

MOST_RULES = 2000
"""In all chains together; beyond it, a chain is cut short and says so."""
LEGACY_TABLES = "/proc/net/ip_tables_names"
_FORWARDED = ("mangle", "filter", "security")
"""The tables of iptables whose FORWARD chain the kernel asks, in its order."""
_NFT_TABLE = re.compile(r"table (ip|inet) (\S+) \{")
_NFT_CHAIN = re.compile(r"chain (\S+) \{")
_NFT_FORWARD = re.compile(r"type filter hook forward .*?;(?: policy (\w+);)?")
_NFT_TARGET = re.compile(r"(?:jump|goto) ([^\s,;}]+)")
_IPTABLES_TARGET = re.compile(r"-[jg] (\S+)")
_POLICIES = ("ACCEPT", "DROP")

_Tables = dict[str, dict[str, Any]]
"""By table, ``{chain: {"policy", "rules"}}``; ``policy`` is empty for one the kernel does not call."""


def chains() -> list[dict[str, Any]] | None:
    """The chains that forwarded packets pass, base chains first; ``None`` where no tool could say."""
    saved = list(_saved())
    listed = _text("nft", "-a", "list", "ruleset")
    if listed is None and not saved:
        return None
    found: list[dict[str, Any]] = []
    known: set[str] = set()
    for name, text in saved:
        tables = _of_iptables(text)
        if name != "iptables-legacy":
            known.update(f"ip {table}" for table in tables)
        for table in _FORWARDED:
            called = tables.get(table, {})
            found += _reached(_command(name), table, called, ["FORWARD"], _IPTABLES_TARGET)
    for table, called in _of_nft(listed or "").items():
        if table not in known:
            base = [chain for chain, about in called.items() if about["policy"]]
            found += _reached("nft", table, called, base, _NFT_TARGET)
    return _bounded(found)


def _saved() -> Iterator[tuple[str, str]]:
    """What each variant of iptables-save prints; the legacy one only where its tables are in use."""
    try:
        in_use = bool(read(LEGACY_TABLES))
    except OSError:
        in_use = False
    variants = [("iptables-nft", True), ("iptables-legacy", in_use)]
    said = [(name, _text(f"{name}-save")) for name, wanted in variants if wanted]
    found = [(name, text) for name, text in said if text is not None]
    if not found:  # a system with one variant only, under its plain name
        text = _text("iptables-save")
        found = [] if text is None else [("iptables", text)]
    yield from found


def _text(*command: str) -> str | None:
    try:
        done = tool(*command)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout


def _command(variant: str) -> str:
    """The command that changes what ``variant`` prints: plain ``iptables`` where that is the same program."""
    plain, own = (shutil.which(f"{name}-save", path=PATH) for name in ("iptables", variant))
    same = plain and own and Path(plain).resolve() == Path(own).resolve()
    return "iptables" if same else variant


def _of_iptables(text: str) -> _Tables:
    tables: _Tables = {}
    called: dict[str, Any] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            called = tables.setdefault(line[1:].strip(), {})
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            called[name] = {"policy": policy if policy in _POLICIES else "", "rules": []}
        elif line.startswith("-A "):
            called.setdefault(line.split()[1], {"policy": "", "rules": []})["rules"].append(line)
    return tables


def _of_nft(text: str) -> _Tables:
    """The chains of every IPv4 table. What is no rule (sets, maps, flow tables) is inside other braces."""
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
        depth += _braces(line)
        called = called if depth else None
        chain = chain if depth > 1 else None
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
    left = MOST_RULES
    for chain in found:
        if len(chain["rules"]) > left:
            chain["rules"], chain["cut"] = chain["rules"][:left], True
        left -= len(chain["rules"])
    return found
