"""Rules at random for a sandbox's cluster: groups, network ACLs, routes, and the nodes' firewalls."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network
from typing import Any, Final

PODS: Final = tuple(IPv4Network(f"10.200.{n}.0/24") for n in range(3))
_VPC: Final = "10.0.0.0/16"
_PROTOCOLS: Final = ("tcp", "udp", "icmp")
_NUMBERS: Final = {"tcp": "6", "udp": "17", "icmp": "1"}
_LAPTOP: Final = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_EVERYTHING: Final = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class Rules:
    """What is drawn by ``chance``; ``ports``: those that any rule has named, and their neighbours."""

    def __init__(self, chance: random.Random, nodes: Sequence[str]) -> None:
        self._chance = chance
        self._nodes = nodes
        self.ports: list[int] = [8080, 53]

    def maybe(self, share: float) -> bool:
        return self._chance.random() < share

    def pods(self, shortest: int = 24) -> str:
        """A part of a worker's pod CIDR."""
        whole = self._chance.choice(PODS)
        return str(self._chance.choice(list(whole.subnets(new_prefix=self._chance.randint(shortest, 28)))))

    def span(self, low: int = 1, high: int = 65535) -> tuple[int, int]:
        """Some ports."""
        first = self._chance.randint(low, high)
        last = min(high, first + self._chance.choice((0, 0, 1, 9, 500, 20000)))
        self.ports += [max(1, first - 1), first, last, min(65535, last + 1)]
        return first, last

    def ingress(self) -> list[Any]:
        """Of the group; the way in for whoever logs in stays."""
        found: list[Any] = [_LAPTOP]
        if self.maybe(0.6):
            return [*found, {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
        for protocol in _PROTOCOLS:
            for _ in range(2):
                cidr = self._chance.choice((_VPC, "10.0.0.0/8", "10.0.0.0/8", self._node(), self.pods()))
                found.append(self._permission(protocol, cidr))
        return _once(found)

    def egress(self) -> list[Any]:
        if self.maybe(0.75):
            return [_EVERYTHING]
        cidrs = ("10.200.0.0/16", self.pods(), "0.0.0.0/0", self.pods(25))
        return _once([self._permission(each, self._chance.choice(cidrs)) for each in (*_PROTOCOLS, "tcp")])

    def acl(self) -> list[Any]:
        """Entries of an ACL, which go before what lets all in and out; the internet is left alone."""
        found = []
        for number in range(10, 10 + self._chance.choice((0, 0, 1, 2, 4))):
            protocol = self._chance.choice(("-1", *_PROTOCOLS, "tcp", "udp"))
            entry: dict[str, Any] = {
                "RuleNumber": number,
                "Egress": self.maybe(0.5),
                "RuleAction": "allow" if self.maybe(0.3) else "deny",
                "Protocol": _NUMBERS.get(protocol, protocol),
                "CidrBlock": self._chance.choice((self.pods(25), self.pods(), self._node())),
            }
            if protocol in ("tcp", "udp"):
                first, last = self.span(*self._chance.choice(((1, 65535), (32768, 60999))))
                entry["PortRange"] = {"From": first, "To": last}
            elif protocol == "icmp":
                entry["IcmpTypeCode"] = {"Type": self._chance.choice((-1, 0, 8, 3)), "Code": -1}
            found.append(entry)
        return found

    def routes(self) -> list[tuple[str, int]]:
        """Parts of pod CIDRs, and the number of the worker that they are led to; -1 is the internet."""
        found = {self.pods(25): self._chance.choice((-1, 0, 1, 2)) for _ in range(self._chance.randint(0, 2))}
        return list(found.items())

    def iptables(self, card: str) -> str:
        """The commands of a firewall."""
        lines = ["iptables -N VOLLEY"]
        lines += [f"iptables -A VOLLEY {self._rule(card, ('DROP', 'RETURN', 'ACCEPT'))}" for _ in range(2)]
        targets = ("DROP", "DROP", "REJECT", "ACCEPT", "VOLLEY")
        lines += [
            f"iptables -A FORWARD {self._rule(card, targets)}" for _ in range(self._chance.randint(1, 5))
        ]
        if self.maybe(0.1):
            lines += ["iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
            lines += ["iptables -A FORWARD -s 10.0.0.0/8 -p tcp -j ACCEPT", "iptables -P FORWARD DROP"]
        return "\n".join(lines)

    def nft(self, card: str) -> str:
        """The same by nft."""
        rules = "\n".join(self._nft_rule(card) for _ in range(self._chance.randint(1, 4)))
        return f"""nft -f - <<'END'
table ip volley {{ chain forward {{ type filter hook forward priority 10; policy accept;
{rules}
}}
}}
END"""

    def _rule(self, card: str, targets: Sequence[str]) -> str:
        words: list[str] = []
        for option in ("-s", "-d"):
            if self.maybe(0.5):
                cidr = self._chance.choice((self.pods(), self.pods(25), self._node(), _VPC))
                words += ["!"] if self.maybe(0.1) else []
                words += [option, cidr]
        if self.maybe(0.3):
            words += self._chance.choice((["-i", "cnio0"], ["-o", card], ["-i", card], ["!", "-o", card]))
        protocol = self._chance.choice(_PROTOCOLS)
        words += ["-p", protocol]
        if protocol != "icmp":
            first, last = self.span()
            asker, last_asker = self.span(32768, 60999)
            words += self._chance.choice(
                (
                    ["--dport", f"{first}:{last}"],
                    ["--sport", f"{asker}:{last_asker}"],
                    ["-m", "multiport", "--dports", f"{first},8080,53"],
                )
            )
        elif self.maybe(0.7):
            words += ["-s", self.pods(25)] if "-s" not in words else []
            words += ["--icmp-type", self._chance.choice(("8", "0", "echo-request"))]
        if self.maybe(0.4):
            words += ["-m", "conntrack", "--ctstate", self._chance.choice(("NEW", "ESTABLISHED,RELATED"))]
        return " ".join([*words, "-j", self._chance.choice(targets)])

    def _nft_rule(self, card: str) -> str:
        protocol = self._chance.choice(_PROTOCOLS)
        first, last = self.span()
        asker, last_asker = self.span(32768, 60999)
        choices: tuple[Callable[[], str], ...] = (
            lambda: f"ip saddr {{ {self.pods(26)}, {self._node()} }}",
            lambda: f"ip daddr != {self.pods(25)}",
            lambda: f"ip daddr {self.pods()}",
            lambda: f'iifname "{card}"',
            lambda: "ct state new",
        )
        what = {"icmp": "icmp type echo-request"}.get(
            protocol,
            self._chance.choice(
                (f"{protocol} dport {{ {first}-{last}, 22 }}", f"{protocol} sport {asker}-{last_asker}")
            ),
        )
        verdict = self._chance.choice(("drop", "reject", "accept", "counter drop"))
        return f"{self._chance.choice(choices)()} {what} {verdict}"

    def _node(self) -> str:
        return f"{self._chance.choice(self._nodes)}/32"

    def _permission(self, protocol: str, cidr: str) -> Any:
        if protocol == "icmp":
            return {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": cidr}]}
        first, last = (0, 65535) if self.maybe(0.6) else self.span()
        return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": cidr}]}


def _once(each: list[Any]) -> list[Any]:
    return [one for n, one in enumerate(each) if one not in each[:n]]
