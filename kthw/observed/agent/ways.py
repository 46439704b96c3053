"""The node's interfaces, and where its kernel sends packets for pods."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from typing import Any

from kthw.observed.agent.asked import is_address
from kthw.observed.agent.system import MOST_DETAIL, Looking, forwarding, read

MOST_LINKS = 64
MOST_PARTS = 256
MOST_ROUTES = 2500
MOST_MTU = 100_000
RP_FILTERS = (0, 1, 2)
BRIDGE_NETFILTER = "/proc/sys/net/bridge/bridge-nf-call-iptables"
PERMANENT = 4
"""A flag of the kernel's neighbours: nobody is asked whether it still holds (``ATF_PERM``)."""
_REFUSED = re.compile(r"Command failed \S*:(\d+)", re.ASCII)
"""What ``ip -batch`` says of a line that the kernel refused: there is no way there."""
KINDS = ("local", "blackhole", "unreachable", "prohibit", "throw", "broadcast", "multicast", "anycast", "nat")
"""What ``ip`` prints before a destination that is no plain one."""
_PASSING = ("linkdown", "dead", "pervasive", "offload", "trap", "rt_offload", "cache", "notify")
"""States that ``ip route`` prints with a route but does not take back."""


def links(looking: Looking) -> list[dict[str, Any]]:
    """The interfaces but for loopback and the ports of bridges; as the nouns of the evidence have them.

    Raises ``UnseenError``.
    """
    return [
        {
            "name": each["ifname"],
            "kind": _kind(each),
            "up": "UP" in each.get("flags", ()),
            "mtu": min(MOST_MTU, int(each.get("mtu") or 0)) if str(each.get("mtu") or 0).isdigit() else 0,
            "addresses": [
                f"{address['local']}/{address.get('prefixlen', 32)}"
                for address in each.get("addr_info", ())
                if address.get("family") == "inet" and is_address(address.get("local"))
            ][:MOST_LINKS],
            "rp_filter": rp_filter(each["ifname"]),
            "forwarding": forwarding(each["ifname"]),
        }
        for each in looking.ip("-d", "address")
        if each["ifname"] != "lo" and "master" not in each
    ][:MOST_LINKS]


def _kind(link: dict[str, Any]) -> str:
    """As ``ip -d link`` calls it; a veth is as good as a network card."""
    kind = str(link.get("linkinfo", {}).get("info_kind", ""))
    return "" if kind == "veth" or not kind.replace("_", "").isalnum() else kind


def rp_filter(interface: str) -> int | None:
    """``net.ipv4.conf.INTERFACE.rp_filter``, or ``None`` where it cannot be read."""
    try:
        value = int(read(f"/proc/sys/net/ipv4/conf/{interface}/rp_filter"))
    except (OSError, ValueError):
        return None
    return value if value in RP_FILTERS else None


def bridge_netfilter(bridge: str) -> str:
    """Whether iptables is asked for what goes over that bridge: ``on``, ``off``, or ``none`` without the
    module; empty where it cannot be read. The bridge's own setting does as well as the sysctl.
    """
    try:
        asked = [read(BRIDGE_NETFILTER).strip()]
    except FileNotFoundError:
        return "none"
    except OSError:
        return ""
    with contextlib.suppress(OSError):
        asked.append(read(f"/sys/class/net/{bridge}/bridge/nf_call_iptables").strip() if bridge else "0")
    return "on" if any(each != "0" for each in asked) else "off"


def mistaken(address: str, interface: str, hardware: str) -> list[dict[str, str]]:
    """What the node was told for good of that address on that link, and is another's (``/proc/net/arp``)."""
    try:
        rows = [line.split() for line in read("/proc/net/arp").splitlines()[1:]]
    except OSError:
        return []
    return [
        {"address": address, "device": interface, "hardware": row[3]}
        for row in rows
        if len(row) == 6 and row[0] == address and row[5] == interface and hardware
        if row[2].startswith("0x") and int(row[2], 16) & PERMANENT and row[3] != hardware
    ]


def ways(
    towards: dict[str, list[str]], entries: list[Entry], looking: Looking, sender: tuple[str, str] = ("", "")
) -> list[dict[str, str]]:
    """Where the kernel sends a packet for a pod; by worker, an address and the range around it (or nothing).

    ``sender``: of whose packets, an address and the interface they come in by; nothing: the node's own.
    First one way for each address; then one for each entry that is about another part of its range.
    One process for all, and for the parts one more; the text forms, because they are the same since long
    before ``ip`` spoke JSON. Raises ``UnseenError``.
    """
    asked = [(worker, address) for worker, (address, _) in towards.items()]
    got = _got([address for _, address in asked], looking, sender)
    parts = [
        (worker, str(entry.network[min(1, entry.network.num_addresses - 1)]))
        for worker, (address, around) in towards.items()
        for entry in entries
        if around and entry.is_part_of(ipaddress.IPv4Network(around, strict=False), address)
    ][:MOST_PARTS]
    if parts:
        got.update(_got([address for _, address in parts], looking, sender))
    return [_way(worker, address, got.get(address), entries) for worker, address in [*asked, *parts]]


def by_next_hop(entries: list[Entry]) -> list[dict[str, str]]:
    """The entries of the main table that hand packets on to a next hop; the default route aside."""
    found: dict[str, dict[str, str]] = {}
    for each in entries:
        via, device = each.words.get("via", ""), each.words.get("dev", "")
        default = each.network.prefixlen == 0
        if each.kind == "unicast" and is_address(via) and "table" not in each.words and not default:
            told = {"destination": str(each.network), "via": via, "device": device}
            found.setdefault(told["destination"], told)  # the first of several is the one that counts
    return list(found.values())[:MOST_ROUTES]


def routing_entries(looking: Looking) -> list[Entry]:
    """All routes; of which every kernel has some. Raises ``UnseenError``."""
    tables = looking.text("ip", "-4", "-o", "route", "show", "table", "all")
    try:
        entries = [Entry(line) for line in tables.splitlines() if line.strip()]
    except ValueError:
        entries = []
    if not entries:
        raise looking.fail("ip", "route show table all: printed what is no list of routes")
    return entries


def _got(
    addresses: list[str], looking: Looking, sender: tuple[str, str]
) -> dict[str, tuple[str, dict[str, str]]]:
    """What ``ip route get`` says, by address; nothing for one it refuses, which it says by its number."""
    if not addresses:
        return {}
    asked = "".join(
        f"route get {ipaddress.IPv4Address(address)}{_of(sender, address)}\n" for address in addresses
    )
    done = looking.run("ip", "-4", "-o", "-force", "-batch", "-", input=asked)
    got = {}
    for line in done.stdout.splitlines():
        kind, destination, words = _words(line.split("\\")[0])
        got[destination.partition("/")[0]] = (kind, words)
    refused = {int(number) for number in _REFUSED.findall(done.stderr)}
    untold = {address for n, address in enumerate(addresses, 1) if n not in refused} - set(got)
    if untold or bool(done.returncode) != bool(refused):
        said = " ".join(done.stderr.split())[-300:]
        raise looking.fail(
            "ip", f"route get: exit status {done.returncode}, unanswered: {len(untold)}: {said}"
        )
    return got


def _of(sender: tuple[str, str], address: str) -> str:
    source, interface = sender
    return f" from {source} iif {interface}" if all(sender) and source != address else ""


class Entry:
    """One route as ``ip route show table all`` prints it. Raises ``ValueError``."""

    def __init__(self, line: str) -> None:
        self.text = " ".join(word for word in line.replace("\\", " ").split() if word not in _PASSING)
        self.kind, destination, self.words = _words(line)
        self.network = ipaddress.IPv4Network("0.0.0.0/0" if destination == "default" else destination)

    @property
    def is_default(self) -> bool:
        """Whether it is the main table's for all that no other takes."""
        return self.network.prefixlen == 0 and self.kind == "unicast" and "table" not in self.words

    def is_part_of(self, around: ipaddress.IPv4Network, address: str) -> bool:
        """Whether it is about some of ``around`` only, and not about ``address``; the node's own aside."""
        part = self.network.prefixlen > around.prefixlen and self.network.network_address in around
        own = self.kind in ("local", "broadcast")
        return part and not own and ipaddress.IPv4Address(address) not in self.network


def _way(
    worker: str, address: str, got: tuple[str, dict[str, str]] | None, entries: list[Entry]
) -> dict[str, str]:
    """What the kernel said; where it only refused, the most specific entry says why."""
    target = ipaddress.IPv4Address(address)
    fitting = [each for each in entries if target in each.network and each.kind != "broadcast"]
    fitting.sort(key=lambda each: each.network.prefixlen, reverse=True)
    if got:
        kind, words = got
        fitting = [
            each
            for each in fitting
            if each.kind == kind
            and all(_agree(each.words, words, word) for word in ("dev", "via"))
            and ("table" not in words or each.words.get("table", "main") == words["table"])
        ]
    else:
        fitting = [each for each in fitting if each.kind in ("blackhole", "unreachable", "prohibit")]
        kind, words = (fitting[0].kind if fitting else "none"), {}
    return {
        "towards": worker,
        "address": address,
        "device": words.get("dev", ""),
        # ``via inet6 fe80::1`` is none that we compare.
        "via": words["via"] if is_address(words.get("via")) else "",
        "kind": kind,
        "route": fitting[0].text[:MOST_DETAIL] if fitting else "",
    }


def _agree(entry: dict[str, str], got: dict[str, str], word: str) -> bool:
    """Whether an entry can be what was got. (A ``local`` one is got by way of ``lo``.)"""
    if word == "dev" and got.get("dev") == "lo":
        return True
    # With several next hops, the entry's own line names none.
    return word not in entry or entry[word] == got.get(word, "")


def _words(line: str) -> tuple[str, str, dict[str, str]]:
    """``kind``, destination, and the pairs of words that follow."""
    words = line.replace("\\", " ").split()
    words = words[: words.index("nexthop")] if "nexthop" in words else words  # each of them names its own
    kind = words.pop(0) if words and words[0] in KINDS else "unicast"
    destination, rest = (words[0], words[1:]) if words else ("", [])
    return kind, destination, {word: rest[n + 1] for n, word in enumerate(rest[:-1])}
