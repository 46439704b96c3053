"""What we may be asked: each field of each request, checked before anything is done with it.

We run as root on somebody's node, and part of what we are asked comes from what other workers said.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable
from typing import Any

from kthw.observed.agent.system import AgentError

MOST_BYTES = 8 << 20
"""Of one request; the longest, for some thousand workers, has about one."""
MOST_WORKERS = 10_000
MOST_PAIRS = 2000
MOST_SINGLE = 64
MOST_FURTHER = 8
"""Pods with addresses that are asked for; their numbers in container ids have one digit."""
MARK = "85"
"""What kernel routes of ours bear as ``proto``, the number of the program that made them.

The kernel only keeps it, prints it, and compares it when a route is taken away: so ours can be told from
another's for the same destination and next hop. No routing daemon of iproute2's ``rt_protos`` has this one,
nor is it one that ``ip``, DHCP clients and systemd-networkd give to theirs (3, 4, 9, 16).
"""
_JOINERS = "\u200c\u200d"
"""Invisible, harmless, and part of how emoji and several scripts are written."""
_WORD = re.compile("[A-Za-z0-9]{1,64}")
_HEX = frozenset("0123456789abcdef")


def read_request(line: bytes) -> tuple[int, str, dict[str, Any]]:
    """The request's ``id``, what to ``do``, and its fields. Raises ``AgentError`` for one that we refuse."""
    try:
        request = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _refused("no JSON") from None
    if not isinstance(request, dict):
        raise _refused("no JSON object")
    return whole(request.pop("id", None)), str(request.pop("do", "")), request


def checked(
    do: str, fields: dict[str, Any], more: dict[str, dict[str, Callable[[Any], Any]]] | None = None
) -> dict[str, Any]:
    """The fields as they may be used; ``more`` are requests of this session only. Raises ``AgentError``."""
    shapes = {**_SHAPES, **(more or {})}
    if do not in shapes:
        raise _refused("do")
    shape = shapes[do]
    if set(fields) - set(shape):
        raise _refused(f"{do}: more fields than there are")
    found = {}
    for field, check in shape.items():
        if field not in fields and field in _OPTIONAL:
            continue
        try:
            found[field] = check(fields.get(field))
        except (TypeError, ValueError):
            raise _refused(f"{do}: {field}") from None
    return found


def is_address(value: object) -> bool:
    """Whether it is an IPv4 address, in the one way to write it."""
    try:
        return isinstance(value, str) and str(ipaddress.IPv4Address(value)) == value
    except ValueError:
        return False


def whole(value: object, least: int = 0, most: int = (1 << 31) - 1) -> int:
    """A whole number within bounds. Raises ``AgentError``."""
    if type(value) is not int or not least <= value <= most:
        raise _refused("a number")
    return value


def _refused(what: str) -> AgentError:
    return AgentError("answer-unreadable", f"refused: {what}", variant="refused")


def _fit(fits: bool) -> None:
    if not fits:
        raise ValueError


def _address(value: Any) -> str:
    _fit(is_address(value))
    return str(value)


def _maybe_address(value: Any) -> str:
    return _address(value) if value != "" else ""


def _range(value: Any) -> str:
    """An IPv4 network, or nothing."""
    if value == "":
        return ""
    _fit(isinstance(value, str) and str(ipaddress.IPv4Network(value)) == value)
    return str(value)


def _some_range(value: Any) -> str:
    _fit(value != "")
    return _range(value)


def _name(value: Any) -> str:
    _fit(isinstance(value, str) and 0 < len(value) <= 300)
    bare = value
    for joiner in _JOINERS:
        bare = bare.replace(joiner, "")
    _fit(bare.isprintable())
    return str(value)


def _maybe_name(value: Any) -> str:
    return _name(value) if value != "" else ""


def _path(value: Any) -> str:
    _fit(isinstance(value, str) and value.startswith("/") and len(value) <= 1000 and value.isprintable())
    return str(value)


def _word(value: Any) -> str:
    _fit(isinstance(value, str) and _WORD.fullmatch(value) is not None)
    return str(value)


def _mark(value: Any) -> str:
    _fit(isinstance(value, str) and len(value) == 16 and set(value) <= _HEX)
    return str(value)


def _port(value: Any) -> int:
    return whole(value, 1, 65535)


def _maybe_port(value: Any) -> int:
    return whole(value, 0, 65535)


def _seconds(most: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        _fit(type(value) in (int, float) and math.isfinite(value) and 0 <= value <= most)
        return float(value)

    return check


def _protocol(value: Any) -> str:
    _fit(value in ("icmp", "tcp"))
    return str(value)


def _with_ports(value: Any) -> str:
    _fit(value in ("tcp", "udp"))
    return str(value)


def _any_protocol(value: Any) -> str:
    return str(value) if value == "icmp" else _with_ports(value)


def _row(*checks: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def check(value: Any) -> list[Any]:
        _fit(isinstance(value, list) and len(value) == len(checks))
        return [each(cell) for each, cell in zip(checks, value)]  # noqa: B905 -- Python 3.6 has no strict=

    return check


def _rows(check: Callable[[Any], Any], most: int) -> Callable[[Any], list[Any]]:
    def all_of(value: Any) -> list[Any]:
        _fit(isinstance(value, list) and len(value) <= most)
        return [check(each) for each in value]

    return all_of


def _peer(value: Any) -> dict[str, Any]:
    _fit(isinstance(value, dict) and set(value) == {"worker", "address", "port"})
    return {
        "worker": _name(value["worker"]), "address": _address(value["address"]), "port": _port(value["port"])
    }  # fmt: skip


def _towards(value: Any) -> dict[str, list[str]]:
    _fit(isinstance(value, dict) and len(value) <= MOST_WORKERS)
    check = _row(_address, _range)
    return {_name(worker): check(way) for worker, way in value.items()}


def _number(value: Any) -> int:
    return whole(value, 0, MOST_PAIRS - 1)


def _packet(value: Any) -> list[Any]:
    """A ping has no ports; whatever else is sent has both."""
    check = _row(_number, _any_protocol, _name, _address, _maybe_port, _maybe_port, _maybe_address)
    found = check(value)
    _fit(all(bool(port) is (found[1] != "icmp") for port in found[4:6]))
    return found


def _times(value: Any) -> int:
    return whole(value, 1, 10)


A_ROUTE = {"node": _address, "destination": _some_range, "via": _address}
"""Of the requests that write; nobody who only looks may ask them."""
_PLACES = {"configs": _path, "plugins": _path, "runtime": _path}
_SHAPES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "facts": {**_PLACES},
    "pod": {"worker": _name, "run": _word, "port": _port, **_PLACES},
    "ways": {"towards": _towards, "beyond": _rows(_row(_maybe_name, _address), MOST_WORKERS + 1)},
    "probe": {
        "peers": _rows(_peer, MOST_WORKERS),
        "node": _maybe_address,
        "internet": _row(_address, _port),
        "seconds": _seconds(100_000),
    },
    "watch": {
        "mark": _mark,
        "port": _port,
        "pairs": _rows(_row(_number, _protocol, _address, _maybe_address, _address), MOST_PAIRS),
    },
    "send": {
        "pairs": _rows(_row(_number, _protocol, _address), MOST_PAIRS),
        "times": _times,
        "pause": _seconds(5),
    },
    "seen": {"seconds": _seconds(10)},
    "further": {"addresses": _rows(_address, MOST_FURTHER)},
    "listen": {"ports": _rows(_row(_with_ports, _port, _maybe_address), MOST_SINGLE)},
    "single": {"packets": _rows(_packet, MOST_SINGLE), "seconds": _seconds(10)},
    "end": {},
}
_OPTIONAL = frozenset({"node", "internet", "runtime", "beyond"})
