"""Mutating JSON documents by their structure: seeded, with values that break what only looks at shapes."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any, Final

HOSTILE: Final[tuple[Any, ...]] = (
    "", " ", "-", "—", "…", "***", "a" * 299, "x" * 4000, "-1", "0", "1e9", "NaN", "null", "true",
    "a\x1b[31mb", "a\u202eb", "a\nb", "a\x00b", "a\u2028b", "é", "ノード", "👩\u200d💻", "\ufeff", "%s",
    "{0}", "{x}", "'", '"', "$(touch x)", "a'b\"c", "--option", "[", "]", "*", "a,b", "a b",
    "../x", "/dev/null",
    "0.0.0.1", "255.255.255.255", "10.0.1.20", "10.200.1.2", "127.0.0.1", "224.0.0.1", "169.254.0.1",
    "0.0.0.0/0", "10.0.0.0/32", "10.200.0.0/8", "10.200.1.0/24", "10.200.1.7/24", "255.255.255.255/0",
    "10.0.0.0/31", "1.2.3.4/1", "::1", "2600::/56", "pl-1", "i-01", "eni-01", "rtb-0a", "local", "igw-0a",
    "worker-0", "worker-1", "worker-9", "pod worker-0", "eni worker-1", "eni", " worker-0", "pod",
    "running", "stopped", "terminated", "pending", "active", "blackhole", "filtered", "unicast", "none",
    "local", "pod", "node", "internet", "icmp", "tcp", "udp", "ACCEPT", "DROP", "nft",
    "iptables", "inet filter",
    "-A FORWARD -j DROP", "-A FORWARD -s 10.200.0.0/16 -j", "-A FORWARD -j FORWARD", '-A FORWARD "', "-A",
    "-A FORWARD -s 10.0.0.9-10.0.0.1 -j DROP", "-A FORWARD -p tcp --dport 9:1 -j DROP", "jump forward",
    "drop", "ip saddr { 10.200.0.0/16 } drop # handle 4", "tcp dport 99999999999999 drop",
    "ct state != new drop", "tcp dport ² drop", "-A FORWARD -p tcp --dport " + "9" * 4500 + " -j DROP",
    "default via 10.0.1.1 dev ens5", "default", "10.200.1.0/24 dev docker0 ' x",
    "#!/bin/sh\npod-cidr=10.200.1.0/24", "cG9kLWNpZHI9MTAuMjAwLjEuMC8yNA==", "pod-cidr=10.200.1.0/33",
    0, 1, -1, 2, 32766, 32767, 65535, 65536, 100_000, 2**31, 2**63 - 1, 2**64, -(2**63), 0.5, 1e300, -0.0,
    True, False, None, [], {}, [[]], {"": {}}, [None], ["a"], {"a": "b"},
)  # fmt: skip

_ADDRESS: Final = re.compile(r"[\d.]+")
_NETWORK: Final = re.compile(r"[\d.]+/\d+")


def _kind(value: Any) -> object:
    """What may stand where ``value`` stands without its being seen at once."""
    if isinstance(value, str):
        return next((shape for shape in (_ADDRESS, _NETWORK) if shape.fullmatch(value)), str)
    return type(value)


_ALIKE: Final = {kind: [value for value in HOSTILE if _kind(value) == kind] for kind in map(_kind, HOSTILE)}


def mutant(document: bytes, chance: random.Random) -> Any:
    """What the JSON in ``document`` says, with a few places of it changed."""
    said = json.loads(document)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if said:  # what has lost its last field has nothing left to change
            _mutate(said, chance)
    return said


def _mutate(document: Any, chance: random.Random) -> None:
    parent, key = _place(document, chance)
    value = parent[key]
    how = chance.randrange(12)
    if how == 0:
        del parent[key]
    elif how == 1 and isinstance(parent, list):
        parent.insert(chance.randrange(len(parent) + 1), copy.deepcopy(value))
    elif how == 2 and isinstance(parent, list):
        chance.shuffle(parent)
    elif how == 3:
        other, where = _place(document, chance)
        parent[key] = copy.deepcopy(other[where])
    elif how == 4 and isinstance(parent, dict):
        parent[str(chance.choice(HOSTILE))] = parent.pop(key)
    elif how == 5 and isinstance(value, str) and value:
        cut = chance.randrange(len(value))
        parent[key] = value[:cut] + str(chance.choice(HOSTILE)) + value[cut + chance.randrange(2) :]
    elif how in (6, 7):
        parent[key] = copy.deepcopy(chance.choice(_ALIKE.get(_kind(value), HOSTILE)))
    elif how in (8, 9, 10):
        # What stands elsewhere under the same name: of the right type, and wrong here.
        parent[key] = copy.deepcopy(chance.choice(_named(document, key) or HOSTILE))
    else:
        parent[key] = copy.deepcopy(chance.choice(HOSTILE))


def _named(document: Any, key: Any) -> list[Any]:
    inside = document.values() if isinstance(document, dict) else document if _is_list(document) else ()
    here = [document[key]] if isinstance(document, dict) and key in document else []
    return [*here, *(found for each in inside for found in _named(each, key))]


def _place(document: Any, chance: random.Random) -> tuple[Any, Any]:
    """A container within the document and a key of it; as likely deep down as on top."""
    found: tuple[Any, Any] = (document, chance.choice(list(document)))
    while True:
        inside = found[0][found[1]]
        keys = (
            list(inside) if isinstance(inside, dict) else list(range(len(inside))) if _is_list(inside) else []
        )
        if not keys or chance.random() < 0.12:
            return found
        found = (inside, chance.choice(keys))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
