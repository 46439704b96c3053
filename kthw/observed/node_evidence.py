"""What was seen on the nodes and of their pods' packets: the part of the evidence that SSH brings.

Get these nouns from ``kthw.observed.evidence``, whose document they are part of.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kthw.observed.pod_failure import PodFailure, UnfitProgram
from kthw.observed.values import (
    Address,
    Cidr,
    Interface,
    MaybeAddress,
    MaybeCidr,
    MaybeIdentifier,
    Milliseconds,
    Name,
    Port,
    Small,
    Text,
)

Hook = Literal["ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"]
"""Where on a packet's way through the node the kernel asks a firewall's chain."""


class CniConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One plugin that a file of ``/etc/cni/net.d`` names, in the order of the files and of their lists.

    ``type``: the plugin's; ``ipam``: that of the plugin which gives it addresses, empty for none, ``None``
    where that was not looked at. ``through``: the plugin that only hands pods on to it (``multus``), if any.
    ``gateway``: whether it gives its bridge the pods' gateway's address (``isGateway``); ``routes``: the IPv4
    destinations that it gives each pod a route for; ``None`` where that was not looked at.
    ``problem`` says why the file could not be read as JSON, or is empty.
    """

    file: Name
    type: Name = ""
    ipam: Name | None = None
    name: Name = ""
    bridge: Name = ""
    subnet: Name = ""
    ip_masq: bool = False
    gateway: bool | None = None
    routes: Annotated[tuple[Cidr, ...], Meta(max_length=16)] | None = None
    through: Name = ""
    problem: Text = ""


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network interface of a node; the ports of bridges and loopback are left out.

    ``kind`` is what ``ip -d link`` calls it (``bridge``, ``vxlan``, …), empty for a network card;
    ``addresses`` are IPv4 with their prefix (``10.0.1.20/24``), ``mtu`` bytes. ``rp_filter`` is the sysctl
    of this interface; the kernel applies the larger of it and ``all``'s. ``forwarding``: whether what comes
    in here is handed on, which ``ip_forward`` says of all at once. ``None`` where it was not read.
    """

    name: Interface
    kind: MaybeIdentifier = ""
    up: bool = False
    mtu: Small = 0
    addresses: tuple[MaybeCidr, ...] = ()
    rp_filter: Small | None = None
    forwarding: bool | None = None


class Way(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where a node's kernel sends a packet for ``address``, a pod's of worker ``towards`` (or its own).

    As ``ip route get`` says: ``device``, ``via`` (the next hop, empty on a link), and ``kind``:
    ``unicast``, ``local``, ``blackhole``, ``unreachable``, ``prohibit``, or ``none`` where the kernel knows
    no way. ``route`` is the entry of the routing table that decides, as ``ip route show table all`` prints
    it and ``ip route del`` takes it; empty where none was seen to.
    """

    towards: Name
    address: Address
    device: Interface = ""
    via: MaybeAddress = ""
    kind: MaybeIdentifier = "unicast"
    route: Text = ""


class PolicyRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule of the node's kernel (``ip rule``) that drops packets before a routing table is asked, or has
    another ``table`` than the main one asked first.

    It holds for what comes in by ``entering`` from ``source`` for ``destination``; empty is any. ``text`` is
    the rest as ``ip rule`` prints it and ``ip rule del pref PRIORITY`` takes it.
    """

    priority: Annotated[int, Meta(ge=0, lt=1 << 32)]
    kind: Literal["blackhole", "unreachable", "prohibit", "lookup"]
    text: Text
    source: MaybeCidr = ""
    destination: MaybeCidr = ""
    entering: Interface = ""
    table: MaybeIdentifier = ""


class Neighbour(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A permanent neighbour entry of a node for its probe pod's address, with another's ``hardware`` one."""

    address: Address
    device: Interface
    hardware: Annotated[str, Meta(pattern=r"\A[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")]


class KernelRoute(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the node's main routing table that hands packets to a next hop; the default route aside.

    ``kept``: the files that name its destination and are read when the node starts (netplan, networkd,
    ifupdown, units, ``rc.local``, …), so that it comes back.
    """

    destination: Cidr
    via: Address
    device: Interface = ""
    kept: tuple[Name, ...] = ()


class Keeper(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What sets the node's network card ``device`` up at its start, where that is seen.

    ``file``: of systemd-networkd, the name of its ``.network`` file for this interface alone.
    """

    by: Literal["netplan", "networkd", "networkmanager", "ifupdown"]
    device: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,14}\Z")]
    file: Annotated[str, Meta(pattern=r"\A(?:[A-Za-z0-9_.-]{1,80}\.network)?\Z")] = ""


class Chain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chain of the node's firewall that pods' packets pass, or that such a chain jumps to.

    ``tool`` is the command that changes it: ``iptables``, or ``iptables-legacy``/``iptables-nft`` where that
    is not the node's default, or ``nft``. ``table`` is ``filter``, ``mangle``, …; for ``nft`` with the
    family (``inet filter``). ``policy`` (``ACCEPT``, ``DROP``) only where the kernel itself calls the chain:
    at ``hook``, the lowest ``priority`` first; of interfaces, for those of ``devices`` alone; ``nat``: only
    for the first packet of a connection. ``rules`` are as ``iptables-save`` and ``nft -a list ruleset``
    print them. ``cut``: there were more than are kept.
    """

    tool: Literal["iptables", "iptables-legacy", "iptables-nft", "nft"]
    table: Name
    name: Name
    policy: MaybeIdentifier = ""
    hook: Hook = "forward"
    priority: Annotated[int, Meta(ge=-(1 << 31), lt=1 << 31)] = 0
    devices: Annotated[tuple[Interface, ...], Meta(max_length=64)] = ()
    nat: bool = False
    rules: tuple[Text, ...] = ()
    cut: bool = False


class Moved(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A counter of what is taken away on the node, and by how many it moved while packets were sent again.

    Of a rule (``text``), or of the policy where that is empty, of ``chain``, without its rules; else of
    the kernel's own, by name (``IPReversePathFilter``, ``ens5: tx dropped``).
    """

    text: Text
    packets: Annotated[int, Meta(ge=1, le=100_000)]
    chain: Chain | None = None


class Program(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What sees each packet of an interface and may take it: an XDP program, or a filter of ``tc``."""

    kind: Literal["xdp", "tc"]
    device: Interface
    text: Name


class Node(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one SSH session to one worker saw.

    ``pod`` is the probe pod's address, empty when it could not be made; ``pod_failure`` says why, where that
    is the node's own network's doing; ``pod_mtu`` the MTU of its interface, in bytes, 0 where that was not
    looked at. ``ip_forward`` is ``None``
    where the sysctl could not be read. ``cni_path``: the folders in which the container runtime looks for
    CNI plugins; ``cni_plugins``: the names of the programs there, ``None`` where that was not looked at;
    ``cni_elsewhere``: the paths of those that the CNI files name in folders where it does not look;
    ``cni_unfit``: those that they name, that are there, and that the kernel would not run.
    ``cni_agents``: of the networks that bring a plugin, the agents that run there (``calico-node``), ``None``
    where that was not looked at.
    ``kubelet_pod_cidr``: what kubelet's configuration file says (``podCIDR``), empty where it says none.
    ``imds``: how the instance metadata answers: ``v1`` (a plain GET, as the tutorial's ``curl`` sends),
    ``v2`` (401 to that, and only to whoever fetches a token first), ``none``; empty where not asked.
    ``login``: the ``ssh`` command that gets in as this session did.

    As they are while the probe pods are up: ``links``, ``rp_filter`` (the sysctl of ``all``),
    ``bridge_netfilter`` (whether iptables is asked for what goes over the pods' bridge: ``on``, ``off``,
    ``none`` without the kernel's module for it; empty where that was not looked at), ``ways``
    (first one per other worker and to the node's own pod; then those
    to a part of a pod CIDR that has an entry of its own), ``rules`` (those that drop), ``lookups`` (those
    that have another table asked), ``beyond`` (where these may make a difference for pods: their ways to the
    other workers' own addresses, and, towards nobody, to the internet) and ``routes`` (``None`` where that
    was not looked at),
    ``neighbours`` (wrong ones), ``keeper`` (``None`` where nobody is seen to be),
    ``firewall`` (in the order the kernel asks;
    ``None`` where no tool on the node could say), ``moved`` and ``programs`` (where packets were lost, and
    sent again), ``lacking`` (the programs that are not there to say it:
    ``ip``, or ``nft`` and ``iptables-save``; where they are there and failed, that is an error of its own).
    """

    worker: Name
    login: Text = ""
    hostname: Name = ""
    addresses: tuple[Address, ...] = ()
    ip_forward: bool | None = None
    cni: tuple[CniConfig, ...] = ()
    cni_path: tuple[Name, ...] = ()
    cni_plugins: tuple[Name, ...] | None = None
    cni_elsewhere: tuple[Name, ...] = ()
    cni_unfit: tuple[UnfitProgram, ...] = ()
    cni_agents: tuple[Name, ...] | None = None
    kubelet_pod_cidr: Name = ""
    pod: MaybeAddress = ""
    pod_mtu: Small = 0
    pod_failure: PodFailure | None = None
    imds: MaybeIdentifier = ""
    links: tuple[Link, ...] = ()
    rp_filter: Small | None = None
    bridge_netfilter: MaybeIdentifier = ""
    ways: tuple[Way, ...] = ()
    rules: tuple[PolicyRule, ...] | None = None
    lookups: tuple[PolicyRule, ...] | None = None
    beyond: tuple[Way, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    routes: tuple[KernelRoute, ...] | None = None
    keeper: Keeper | None = None
    firewall: tuple[Chain, ...] | None = None
    moved: tuple[Moved, ...] = ()
    programs: tuple[Program, ...] = ()
    lacking: tuple[MaybeIdentifier, ...] = ()


PROBE_PORT: Final = 8080
"""The TCP port a probe pod listens on, and its peers connect to."""
SENT_AGAIN: Final = 3
"""How often the packets of a pair that failed are sent again, and watched for."""
DNS_PORT: Final = 53
"""The UDP port a probe pod answers on, as a pod of CoreDNS does."""


class Probe(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One measurement from the probe pod of ``source``.

    ``kind``: ``pod`` (the probe pod of worker ``destination``), ``node`` (the worker's own node
    address) or ``internet``. ``protocol``: ``icmp``, ``tcp`` or ``udp``. ``detail`` says, when not
    ``reached``, what came instead (``no answer in 3.0 s``, ``connection refused``, ``network unreachable``,
    ``fragmentation needed (from 10.0.1.21: 1300 bytes)``). ``milliseconds``: the round trip, when reached.

    ``size``: the bytes of the IP packets, as many as the pod's interface sends (``Node.pod_mtu``), not to be
    fragmented; 0: small ones. ``icmp``: the echo comes back as large; ``udp``: the answer is small; ``tcp``:
    a segment each way, which TCP makes smaller where it is told to. ``limit``: where these failed and small
    ones pass, the largest packet that did pass (a link may take in a few bytes more than its MTU); 0: not
    found. ``sent`` and ``lost``: small packets that were sent besides to count what is lost, and those that
    nothing came back of, in either direction; 0: not counted.
    """

    source: Name
    source_address: Address
    destination: Name
    destination_address: Address
    kind: MaybeIdentifier
    protocol: MaybeIdentifier
    reached: bool
    detail: Name = ""
    milliseconds: Milliseconds = 0.0
    size: Small = 0
    limit: Small = 0
    sent: Small = 0
    lost: Small = 0

    def __post_init__(self) -> None:
        if self.lost > self.sent or self.limit > self.size:
            raise ValueError("more lost than sent, or a limit beyond the size")

    @property
    def pair(self) -> str:
        """``10.200.0.2@worker-0 → 10.200.1.2@worker-1: icmp``; of 1500 bytes: ``icmp/1500``."""
        where = f"@{self.destination}" if self.destination else ""
        how = f"{self.protocol}/{self.size}" if self.size else self.protocol
        return f"{self.source_address}@{self.source} → {self.destination_address}{where}: {how}"

    @property
    def outcome(self) -> str:
        """What came of it, in the agent's own words."""
        return "reached" if self.reached else self.detail

    def __str__(self) -> str:
        return f"{self.pair} {self.outcome}"


class Sent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A packet from a pod of ours on ``source`` to one on ``destination``, sent besides the probes.

    ``source_address``, ``destination_address``: empty of a probe pod, else what a further pod has for it.
    ``port``: the one that is asked, ``asker``: the one it is asked from; 0 of a ping. ``reached``: it was
    answered, by the pod that was asked. ``taken``: it was not sent, since one of the addresses is somebody's.
    """

    source: Name
    destination: Name
    protocol: Literal["icmp", "tcp", "udp"]
    port: Port = 0
    asker: Port = 0
    source_address: MaybeAddress = ""
    destination_address: MaybeAddress = ""
    reached: bool = False
    taken: bool = False


class Trace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who saw the packets of a pair that failed: they were sent again, and watched for on every node.

    ``protocol``: ``icmp`` (an echo request with a mark of its own) or ``tcp`` (a connection to
    ``PROBE_PORT``). ``request`` and ``reply`` are the places that saw them, in the order of the way:
    ``pod worker-0``, ``bridge worker-0``, ``eni worker-0``, ``eni worker-1``, ``bridge worker-1``,
    ``pod worker-1``; the reply's the other way round. A packet that went astray was seen elsewhere as
    well: at the ENI of a third worker, or at another interface, by its name (``docker0 worker-0``).
    """

    source: Name
    destination: Name
    source_address: Address
    destination_address: Address
    protocol: MaybeIdentifier
    request: tuple[Name, ...] = ()
    reply: tuple[Name, ...] = ()
