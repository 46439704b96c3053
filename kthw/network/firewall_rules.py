"""A firewall's rule, read from the text that ``iptables-save`` or ``nft -a list ruleset`` prints."""

from __future__ import annotations

import functools
import re
import shlex
from typing import Final, NamedTuple

import msgspec

_GOING_ON: Final = (
    "LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "CT", "SET", "CLASSIFY", "DSCP", "TOS", "TTL", "CHECKSUM",
    "TRACE", "AUDIT", "SECMARK",
)  # fmt: skip
"""Targets of iptables after which the next rule is asked."""
_DROPPING: Final = ("DROP", "REJECT")
_OPTIONS: Final = {
    "-s": "source", "--src-range": "source", "-d": "destination", "--dst-range": "destination",
    "-i": "entering", "-o": "leaving", "-p": "protocol", "--ctstate": "state", "--state": "state",
    "--sport": "source-port", "--sports": "source-port",
    "--dport": "destination-port", "--dports": "destination-port", "--icmp-type": "icmp-type",
}  # fmt: skip
_MODULES: Final = frozenset(["comment", "conntrack", "state", "tcp", "udp", "icmp", "multiport", "iprange"])
_KUBERNETES: Final = "kubernetes forwarding rules"
"""kube-proxy's comment on its rule for marked packets: those for a service, which a pod's address is not."""

_EXPRESSIONS: Final = {
    ("ip", "saddr"): "source", ("ip", "daddr"): "destination", ("ip", "protocol"): "protocol",
    ("meta", "l4proto"): "protocol", ("ct", "state"): "state", ("icmp", "type"): "icmp-type",
    ("icmp", "code"): "icmp-code",
    ("tcp", "sport"): "source-port", ("tcp", "dport"): "destination-port",
    ("udp", "sport"): "source-port", ("udp", "dport"): "destination-port",
    ("th", "sport"): "source-port", ("th", "dport"): "destination-port",
    ("iifname",): "entering", ("iif",): "entering", ("oifname",): "leaving", ("oif",): "leaving",
    ("meta", "nfproto"): "family", ("meta", "protocol"): "family", ("ether", "type"): "family",
}  # fmt: skip
_IPV4: Final = frozenset(["ipv4", "ip", "0x0800"])
_OTHERS: Final = frozenset(["ip6", "icmpv6", "udplite", "sctp", "dccp", "arp"])
"""What an expression about another protocol than ICMP, TCP and UDP over IPv4 begins with."""
_HEADERS: Final = frozenset(["icmp", "tcp", "udp"])
"""Protocols whose packets alone have such a header to ask about."""
_OPERATORS: Final = frozenset([".", "&", "|", "^", "<", ">", "<=", ">=", "set"])
_NOTING: Final = frozenset(["counter", "log"])
"""Statements that let every packet pass on, and"""
_NOTED: Final = frozenset([
    "name", "packets", "bytes", "prefix", "level", "flags", "group", "snaplen", "queue-threshold", "comment",
])  # fmt: skip
"""what may stand behind them, each with one value."""
_VERDICTS: Final = {
    "accept": "accept", "drop": "drop", "reject": "drop", "return": "return", "continue": "go-on",
    "jump": "jump", "goto": "goto", "queue": "unknown",
    "dnat": "accept", "snat": "accept", "masquerade": "accept", "redirect": "accept",
}  # fmt: skip


class Verb(msgspec.Struct, frozen=True):
    """What a rule does with what it matches.

    ``name``: ``accept``, ``drop``, ``return``, ``jump``, ``goto``, ``go-on`` (the next rule is asked) or
    ``unknown``; ``target`` is the chain of a jump, or a target of the kernel's that is none of these.
    """

    name: str
    target: str = ""


class Rule(NamedTuple):
    """``matches``: (what, value, negated); values are lists with commas.

    ``what`` is empty for a match that is not understood, ``never`` for one that no ICMP, TCP or UDP packet
    over IPv4 fulfils.
    """

    text: str
    matches: tuple[tuple[str, str, bool], ...]
    verb: Verb


@functools.lru_cache(maxsize=8192)
def parsed(tool: str, text: str) -> Rule:
    """A rule as ``tool`` (``nft``, else an iptables) prints it."""
    try:
        return _of_nft(text) if tool == "nft" else _of_iptables(text)
    except ValueError:  # a quote without its other half
        return Rule(text, (("", "", False),), Verb("unknown"))


def handle(text: str) -> str:
    """The number by which nft deletes a rule; empty where it was not printed."""
    found = re.search(r"# handle (\d+)$", text)
    return found[1] if found else ""


def _of_iptables(text: str) -> Rule:
    words = shlex.split(text)[2:]  # without "-A CHAIN"
    matches: list[tuple[str, str, bool]] = []
    verb = Verb("go-on")
    negated = of_kubernetes = False
    while words:
        word = words.pop(0)
        if word == "!":
            negated = True
            continue
        if word in ("-j", "-g") and words:
            verb = _target(words[0], goes=word == "-g")
            break
        if word == "--comment" and words:
            of_kubernetes = words.pop(0) == _KUBERNETES
        elif word in _OPTIONS and words:
            matches.append((_OPTIONS[word], words.pop(0), negated))
        elif word == "-m" and words:
            module = words.pop(0)
            matches += [] if module in _MODULES else [("", module, False)]
        elif word == "--mark" and of_kubernetes:
            matches.append(("never", "", negated))
        else:
            matches.append(("", word, False))
        negated = False
    return Rule(text, tuple(matches), verb)


def _target(name: str, *, goes: bool) -> Verb:
    if name in _DROPPING:
        return Verb("drop")
    if name in ("ACCEPT", "RETURN"):
        return Verb(name.lower())
    if name in _GOING_ON:
        return Verb("go-on")
    return Verb("goto" if goes else "jump", name)


def _of_nft(text: str) -> Rule:
    rule = re.sub(r"\s+# handle \d+$", "", text)
    rule = re.sub(r"\{([^{}\"]|\"[^\"]*\")*\}", lambda found: re.sub(r"[{}\s\"]", "", found[0]), rule)
    words = shlex.split(rule)
    matches: list[tuple[str, str, bool]] = []
    while words:
        if words[0] in _VERDICTS:
            name = _VERDICTS[words[0]]
            target = words[1] if name in ("jump", "goto") and words[1:] else ""
            return Rule(text, tuple(matches), Verb(name, target))
        what = next((key for key in _EXPRESSIONS if tuple(words[: len(key)]) == key), ())
        if words[0] in _NOTING:
            words = words[1:]
        elif words[0] in _NOTED:
            words = words[2:]
        elif words[0] in _OTHERS:
            matches.append(("never", "", False))
            words = _until_statement(words)
        elif what and words[len(what) :] and words[len(what)] not in _OPERATORS and "vmap" not in words:
            words = words[len(what) :]
            negated = words[0] == "!="
            words = words[1:] if words[0] in ("!=", "==") else words
            matches += [match for value in words[:1] for match in _match(what, value, negated)]
            words = words[1:]
        else:
            matches += [("protocol", words[0], False)] if words[0] in _HEADERS else []
            matches.append(("", words[0], False))
            if "vmap" in words:
                return Rule(text, tuple(matches), Verb("unknown"))
            words = _until_statement(words)
    return Rule(text, tuple(matches), Verb("go-on"))


def _match(what: tuple[str, ...], value: str, negated: bool) -> list[tuple[str, str, bool]]:
    kind = _EXPRESSIONS[what]
    if kind == "family":
        return [] if _IPV4.isdisjoint(value.split(",")) is negated else [("never", "", False)]
    # What is asked of a protocol's header, also with "!=", holds for that protocol's packets only.
    of = [("protocol", what[0], False)] if what[0] in _HEADERS else []
    return [*of, (kind, value, negated)]


def _until_statement(words: list[str]) -> list[str]:
    """What is left when all that is compared is passed over."""
    return next((words[n:] for n, word in enumerate(words) if word in _VERDICTS or word in _NOTING), [])
