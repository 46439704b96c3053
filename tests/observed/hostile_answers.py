"""Answers that no agent of ours gives, and the error each is: about the worker that gave it, and no more."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.observed.scripted import Output, dripping, encoded

Answer = Callable[[dict[str, Any]], Output]
UNREADABLE, LATE, LOST = "answer-unreadable", "probe-timeout", "ssh-unreachable"
PHASES = ("facts", "pod", "ways", "probe", "end")
"""What every worker is asked for in a healthy run."""
INJECTED = "10.200.0.9\nnetns add kthwx\nnetns exec kthwx touch /root/pwned"
ERROR: dict[str, Any] = {"code": "cni-failed", "detail": "x", "facts": {}}


def raw(text: bytes) -> Answer:
    return lambda _: text


def but(**changes: Any) -> Answer:
    """The honest answer, with changes; a callable changes what is there."""

    def answer(honest: dict[str, Any]) -> bytes:
        changed = {key: new(honest[key]) if callable(new) else new for key, new in changes.items()}
        return encoded({**honest, **changed})

    return answer


def lacking(*fields: str) -> Answer:
    return lambda honest: encoded({key: value for key, value in honest.items() if key not in fields})


def failing(**changes: Any) -> Answer:
    """An error, with changes."""
    return lambda honest: encoded({"id": honest["id"], "error": {**ERROR, **changes}})


def failed(**more: Any) -> Answer:
    """No pod, for the plugin's own reason."""
    return but(address="", failure={"cause": "refused", **more})


def first(change: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    """Of the honest rows, the first changed."""
    return lambda rows: [change(rows[0]), *rows[1:]]


def cell(number: int, value: Any) -> Callable[[list[Any]], list[Any]]:
    """Of the first honest row, one cell changed."""
    return first(lambda row: [*row[:number], value, *row[number + 1 :]])


def key(name: str, value: Any) -> Callable[[list[Any]], list[Any]]:
    return first(lambda row: {**row, name: value})


def quoted(value: bytes) -> Answer:
    """The honest answer with ``MARK`` replaced by bytes that JSON does not have."""
    return lambda honest: (
        json.dumps({**honest, "hostname": "MARK"}).encode().replace(b'"MARK"', value) + b"\n"
    )


def _flood(_: dict[str, Any]) -> Iterator[bytes]:
    return itertools.repeat(b"x" * 65536)


def _chatter(_: dict[str, Any]) -> Iterator[bytes]:
    return itertools.repeat(b'{"motd": "welcome"}\n' * 1000)


def _strangers(_: dict[str, Any]) -> Iterator[bytes]:
    return itertools.repeat(b'{"id": 99}\n')


# What does not depend on what was asked for: tried in every phase.
ANYWHERE: dict[str, tuple[Answer, str]] = {
    "nothing": (raw(b"\n"), UNREADABLE),
    "no JSON": (raw(b"Segmentation fault\n"), UNREADABLE),
    "half an object": (lambda honest: encoded(honest)[: len(encoded(honest)) // 2] + b"\n", UNREADABLE),
    "an array": (raw(b"[]\n"), UNREADABLE),
    "a number": (raw(b"7\n"), UNREADABLE),
    "null": (raw(b"null\n"), UNREADABLE),
    "true": (raw(b"true\n"), UNREADABLE),
    "a text": (raw(b'"x"\n'), UNREADABLE),
    "an empty object": (raw(b"{}\n"), UNREADABLE),
    "two objects in a line": (lambda honest: encoded(honest).strip() + encoded(honest), UNREADABLE),
    "no id": (lacking("id"), UNREADABLE),
    "another id": (but(id=99), UNREADABLE),
    "an id of no int": (but(id="1"), UNREADABLE),
    "an id that is huge": (raw(b'{"id": ' + b"9" * 5000 + b"}\n"), UNREADABLE),
    "a field more": (but(more=1), UNREADABLE),
    "no UTF-8": (raw(b'{"id": "\xff\xfe"}\n'), UNREADABLE),
    "UTF-16": (lambda honest: json.dumps(honest).encode("utf-16") + b"\n", UNREADABLE),
    "too deep a nest": (raw(b"[" * 100_000 + b"\n"), UNREADABLE),
    "too deep a nest in a field": (raw(b'{"id": 1, "x": ' + b"[" * 100_000 + b"\n"), UNREADABLE),
    "NaN": (raw(b'{"id": NaN}\n'), UNREADABLE),
    "an answer without an end": (_flood, UNREADABLE),
    "12 MB in a line": (raw(b"x" * 12_000_000 + b"\n"), UNREADABLE),
    "answers to others without an end": (_strangers, UNREADABLE),
    "a byte at a time": (lambda _: dripping(b"x" * 100_000), LATE),
    "silence": (raw(b""), LATE),
    "the end of the connection": (lambda _: None, LOST),
    "an error that is a text": (lambda honest: encoded({"id": honest["id"], "error": "x"}), UNREADABLE),
    "an error that is empty": (lambda honest: encoded({"id": honest["id"], "error": {}}), UNREADABLE),
    "an unknown error": (failing(code="route-missing"), UNREADABLE),
    "an error of AWS's": (failing(code="credentials-missing"), UNREADABLE),
    "an error whose detail is a number": (failing(detail=7), UNREADABLE),
    "an error with too long a detail": (failing(detail="x" * 6000), UNREADABLE),
    "an error with a command of its own": (failing(facts={"login": "ssh -oProxyCommand=x y"}), UNREADABLE),
    "an error with a variant of its own": (failing(facts={"variant": "what"}), UNREADABLE),
    "an error whose facts are an array": (failing(facts=[]), UNREADABLE),
}  # fmt: skip
# Of one kind of answer.
IN_PHASE: dict[str, tuple[str, Answer, str]] = {
    "start: chatter without an end": ("start", _chatter, UNREADABLE),
    "start: a line without an end": ("start", _flood, UNREADABLE),
    "start: silence": ("start", raw(b""), LATE),
    "start: ready is no truth": ("start", raw(b'{"ready": 1, "pid": 7}\n'), LATE),
    "start: a byte at a time": ("start", lambda _: dripping(b"x" * 100_000), LATE),
    "facts: half of them": ("facts", lacking("cni", "imds"), UNREADABLE),
    "facts: null": ("facts", but(hostname=None), UNREADABLE),
    "facts: a number": ("facts", but(hostname=7), UNREADABLE),
    "facts: a hostname of 10,000": ("facts", but(hostname="x" * 10_000), UNREADABLE),
    "facts: half a surrogate pair": ("facts", quoted(rb'"\ud800"'), UNREADABLE),
    "facts: a Latin-1 byte": ("facts", quoted(b'"Jo\xe3o"'), UNREADABLE),
    "facts: a control byte": ("facts", quoted(b'"a\x1bb"'), UNREADABLE),
    "facts: an infinite number": ("facts", quoted(b"1e999"), UNREADABLE),
    "facts: Infinity": ("facts", quoted(b"Infinity"), UNREADABLE),
    "facts: an address that is none": ("facts", but(addresses=["10.0.1.256"]), UNREADABLE),
    "facts: a command for an address": ("facts", but(addresses=["$(id)"]), UNREADABLE),
    "facts: 10,000 addresses": ("facts", but(addresses=["10.0.1.1"] * 10_000), UNREADABLE),
    "facts: CNI files that are texts": ("facts", but(cni=["x"]), UNREADABLE),
    "facts: CNI files that are no list": ("facts", but(cni={"file": "x"}), UNREADABLE),
    "facts: a CNI file without a name": ("facts", but(cni=[{"type": "bridge"}]), UNREADABLE),
    "facts: a CNI subnet that is a number": ("facts", but(cni=key("subnet", 7)), UNREADABLE),
    "facts: an IMDS of its own": ("facts", but(imds="v9"), UNREADABLE),
    "facts: forwarding by word": ("facts", but(ip_forward="yes"), UNREADABLE),
    "facts: failures of its own": ("facts", but(failed=[{"code": "x"}]), UNREADABLE),
    "facts: 9 failures": ("facts", but(failed=[ERROR] * 9), UNREADABLE),
    "pod: more lines than an address": ("pod", but(address=INJECTED), UNREADABLE),
    "pod: no address": ("pod", but(address=""), UNREADABLE),
    "pod: a number": ("pod", but(address=7), UNREADABLE),
    "pod: an MTU by word": ("pod", but(mtu="1500"), UNREADABLE),
    "pod: an MTU beyond what IP carries": ("pod", but(mtu=65536), UNREADABLE),
    "pod: null": ("pod", but(address=None), UNREADABLE),
    "pod: an option": ("pod", but(address="-batch"), UNREADABLE),
    "pod: other digits": ("pod", but(address="١٠.200.1.2"), UNREADABLE),
    "pod: IPv6": ("pod", but(address="fd00::2"), UNREADABLE),
    "pod: neither an address nor why": ("pod", but(address="", failure=None), UNREADABLE),
    "pod: an address, and why there is none": ("pod", but(failure={"cause": "refused"}), UNREADABLE),
    "pod: a failure of its own": ("pod", but(address="", failure={"cause": "tired"}), UNREADABLE),
    "pod: a failure that is a text": ("pod", but(address="", failure="refused"), UNREADABLE),
    "pod: a plugin that says too much": ("pod", failed(said="x" * 6000), UNREADABLE),
    "pod: versions that are commands": ("pod", failed(versions=["$(id)"]), UNREADABLE),
    "pod: a bridge whose address is none": (
        "pod",
        failed(bridge={"name": "cnio0", "addresses": ["10.0.0.1/99"]}),
        UNREADABLE,
    ),
    "pod: a bridge whose name is two words": ("pod", failed(bridge={"name": "cnio0; id"}), UNREADABLE),
    "pod: leases that are no addresses": (
        "pod",
        failed(leases={"folder": "/var", "free": ["../../etc/passwd"]}),
        UNREADABLE,
    ),
    "pod: 10,000 leases": (
        "pod",
        failed(leases={"folder": "/var", "free": ["10.200.1.2"] * 10_000}),
        UNREADABLE,
    ),
    "facts: a plugin unfit for a reason of its own": (
        "facts",
        but(cni_unfit=[{"path": "/opt/cni/bin/bridge", "why": "tired"}]),
        UNREADABLE,
    ),
    "pod: another worker's node": ("pod", but(address="10.0.1.20"), UNREADABLE),
    "pod: its own node": ("pod", but(address="10.0.1.21"), UNREADABLE),
    "pod: the metadata service": ("pod", but(address="169.254.169.254"), UNREADABLE),
    "pod: loopback": ("pod", but(address="127.0.0.1"), UNREADABLE),
    "pod: everybody": ("pod", but(address="255.255.255.255"), UNREADABLE),
    "pod: multicast": ("pod", but(address="224.0.0.1"), UNREADABLE),
    "pod: a host on the internet": ("pod", but(address="8.8.8.8"), UNREADABLE),
    "ways: not one": ("ways", but(ways=[]), UNREADABLE),
    "ways: one less": ("ways", but(ways=lambda rows: rows[1:]), UNREADABLE),
    "ways: in another order": ("ways", but(ways=lambda rows: rows[::-1]), UNREADABLE),
    "ways: to nobody": ("ways", but(ways=key("towards", "nobody")), UNREADABLE),
    "ways: to another address": ("ways", but(ways=key("address", "10.9.9.9")), UNREADABLE),
    "ways: to a part of something else": (
        "ways", but(ways=lambda rows: [*rows, {**rows[0], "address": "10.9.9.9"}]), UNREADABLE,
    ),
    "ways: 300 parts": ("ways", but(ways=lambda rows: [*rows, *[rows[0]] * 300]), UNREADABLE),
    "ways: a device with a slash": ("ways", but(ways=key("device", "../../x")), UNREADABLE),
    "ways: a next hop that is none": ("ways", but(ways=key("via", "10.0.1.1; id")), UNREADABLE),
    "ways: a route to no network": (
        "ways", but(routes=[{"destination": "$(id)", "via": "10.0.1.21"}]), UNREADABLE,
    ),
    "ways: a route through no address": (
        "ways", but(routes=[{"destination": "10.200.1.0/24", "via": "10.0.1.21; id"}]), UNREADABLE,
    ),
    "ways: 3,000 routes": (
        "ways", but(routes=[{"destination": "10.200.1.0/24", "via": "10.0.1.21"}] * 3000), UNREADABLE,
    ),
    "ways: a route that 9 files keep": (
        "ways",
        but(routes=[{"destination": "10.200.1.0/24", "via": "10.0.1.21", "kept": ["x"] * 9}]),
        UNREADABLE,
    ),
    "ways: a keeper of its own": ("ways", but(keeper={"by": "sh", "device": "ens5"}), UNREADABLE),
    "ways: a keeper's device that runs": (
        "ways", but(keeper={"by": "ifupdown", "device": "x;id"}), UNREADABLE,
    ),
    "ways: a keeper's file that leads elsewhere": (
        "ways",
        but(keeper={"by": "networkd", "device": "ens5", "file": "../$(id).network"}),
        UNREADABLE,
    ),
    "ways: an MTU below nothing": ("ways", but(links=key("mtu", -1)), UNREADABLE),
    "ways: an MTU with a fraction": ("ways", but(links=key("mtu", 1.5)), UNREADABLE),
    "ways: 65 links": ("ways", but(links=lambda rows: rows * 65), UNREADABLE),
    "ways: a firewall that is a text": ("ways", but(firewall="-A FORWARD -j ACCEPT"), UNREADABLE),
    "ways: rules that are numbers": ("ways", but(firewall=key("rules", [1, 2])), UNREADABLE),
    "ways: a tool with an option": ("ways", but(firewall=key("tool", "--exec")), UNREADABLE),
    "ways: a tool that changes no firewall": ("ways", but(firewall=key("tool", "rm")), UNREADABLE),
    "ways: 3,000 chains": ("ways", but(firewall=lambda rows: rows * 3000), UNREADABLE),
    "ways: it lacks a shell": ("ways", but(lacking=["sh"]), UNREADABLE),
    "probe: no rows": ("probe", but(probes=[]), UNREADABLE),
    "probe: a row missing": ("probe", but(probes=lambda rows: rows[1:]), UNREADABLE),
    "probe: a row twice": ("probe", but(probes=lambda rows: [*rows, rows[0]]), UNREADABLE),
    "probe: a row too short": ("probe", but(probes=first(lambda row: row[:10])), UNREADABLE),
    "probe: a row too long": ("probe", but(probes=first(lambda row: [*row, 1])), UNREADABLE),
    "probe: a row that is an object": ("probe", but(probes=first(lambda row: {"kind": row[0]})), UNREADABLE),
    "probe: a kind of its own": ("probe", but(probes=cell(0, "route")), UNREADABLE),
    "probe: to nobody": ("probe", but(probes=cell(1, "nobody")), UNREADABLE),
    "probe: to an address of its own": ("probe", but(probes=cell(2, "10.9.9.9")), UNREADABLE),
    "probe: by a protocol of its own": ("probe", but(probes=cell(3, "sctp")), UNREADABLE),
    "probe: of a size of its own": ("probe", but(probes=cell(4, 1499)), UNREADABLE),
    "probe: reached by word": ("probe", but(probes=cell(5, "yes")), UNREADABLE),
    "probe: a detail that is a number": ("probe", but(probes=cell(6, 7)), UNREADABLE),
    "probe: a detail of 10,000": ("probe", but(probes=cell(6, "x" * 10_000)), UNREADABLE),
    "probe: before it was sent": ("probe", but(probes=cell(7, -1.0)), UNREADABLE),
    "probe: after the end of time": ("probe", but(probes=cell(7, 1e300)), UNREADABLE),
    "probe: a null for a number": ("probe", but(probes=cell(7, None)), UNREADABLE),
    "probe: a limit beyond the size": ("probe", but(probes=cell(8, 9001)), UNREADABLE),
    "probe: a limit below nothing": ("probe", but(probes=cell(8, -1)), UNREADABLE),
    "probe: a million sent": ("probe", but(probes=cell(9, 1_000_000)), UNREADABLE),
    "probe: more lost than were sent": ("probe", but(probes=cell(10, 1)), UNREADABLE),
    "end: ended by word": ("end", but(ended="yes"), UNREADABLE),
}  # fmt: skip
# Asked for only where packets are lost.
IN_TRACE: dict[str, tuple[str, Answer, str]] = {
    "watch: an array": ("watch", raw(b"[]\n"), UNREADABLE),
    "watch: the end": ("watch", lambda _: None, LOST),
    "send: a number": ("send", raw(b"7\n"), UNREADABLE),
    "seen: null": ("seen", but(seen=None), UNREADABLE),
    "seen: a row too short": ("seen", but(seen=[[0, "request", "ens5"]]), UNREADABLE),
    "seen: a pair nobody watched": ("seen", but(seen=[[1999, "request", "ens5", False]]), UNREADABLE),
    "seen: a pair below nothing": ("seen", but(seen=[[-1, "request", "ens5", False]]), UNREADABLE),
    "seen: a pair that is huge": ("seen", but(seen=[[10**30, "request", "ens5", False]]), UNREADABLE),
    "seen: a direction of its own": ("seen", but(seen=[[0, "sideways", "ens5", False]]), UNREADABLE),
    "seen: an interface that is none": ("seen", but(seen=[[0, "request", "a b\n", False]]), UNREADABLE),
    "seen: a counter that went back": ("seen", but(moved=[{"text": "a", "packets": -1}]), UNREADABLE),
    "seen: counters without end": ("seen", but(moved=[{"text": "a", "packets": 3}] * 33), UNREADABLE),
    "seen: a chain of no tool": (
        "seen",
        but(moved=[{"text": "", "packets": 3, "chain": {"tool": "sh", "table": "raw", "name": "c"}}]),
        UNREADABLE,
    ),
    "seen: a program on no interface": (
        "seen",
        but(programs=[{"kind": "tc", "device": "a; reboot", "text": "ingress"}]),
        UNREADABLE,
    ),
    "seen: 100,000 rows": ("seen", but(seen=[[0, "request", "ens5", False]] * 100_000), UNREADABLE),
}  # fmt: skip
