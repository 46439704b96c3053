"""What is read from one rule, as ``iptables-save`` and ``nft -a list ruleset`` print it on real nodes."""

from __future__ import annotations

import pytest

from kthw.network.firewall_rules import Rule, handle, parsed


def said(rule: Rule) -> tuple[str, ...]:
    """The verb, then each match; ``?`` is before what is not understood."""
    matches = (f"{'not ' if negated else ''}{what or '?'} {value}" for what, value, negated in rule.matches)
    return (f"{rule.verb.name} {rule.verb.target}".strip(), *(match.strip() for match in matches))


IPTABLES = [
    # The tutorial's own, and what people write by hand
    ("-s 10.200.0.0/16 -j ACCEPT", "accept", "source 10.200.0.0/16"),
    ("-d 10.200.1.0/24 -j DROP", "drop", "destination 10.200.1.0/24"),
    ("-i cnio0 -o ens5 -j RETURN", "return", "entering cnio0", "leaving ens5"),
    ("! -s 10.0.1.0/24 -i ens5 -j DROP", "drop", "not source 10.0.1.0/24", "entering ens5"),
    ("-p icmp -m icmp --icmp-type 8 -j DROP", "drop", "protocol icmp", "icmp-type 8"),
    ("-p tcp -m tcp --sport 1024:65535 -j ACCEPT", "accept", "protocol tcp", "source-port 1024:65535"),
    ("-p tcp -m tcp ! --dport 22 -j DROP", "drop", "protocol tcp", "not destination-port 22"),
    ("-p tcp -m multiport --sports 80,443 -j DROP", "drop", "protocol tcp", "source-port 80,443"),
    ("-p udp -m multiport --dports 53,123 -j DROP", "drop", "protocol udp", "destination-port 53,123"),
    ("-p udp -m udp --dport 8472 -j ACCEPT", "accept", "protocol udp", "destination-port 8472"),
    ("-m state --state RELATED,ESTABLISHED -j ACCEPT", "accept", "state RELATED,ESTABLISHED"),
    ("-m iprange --src-range 10.0.1.20-10.0.1.29 -j DROP", "drop", "source 10.0.1.20-10.0.1.29"),
    ("-m iprange --dst-range 10.0.1.20-10.0.1.29 -j DROP", "drop", "destination 10.0.1.20-10.0.1.29"),
    # Docker
    ("-j DOCKER-USER", "jump DOCKER-USER"),
    ("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "accept", "state RELATED,ESTABLISHED"),
    ("-i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2", "jump DOCKER-ISOLATION-STAGE-2",
     "entering docker0", "not leaving docker0"),
    ("! -i docker0 -o docker0 -j DROP", "drop", "not entering docker0", "leaving docker0"),
    ("-m addrtype --dst-type LOCAL -j DOCKER", "jump DOCKER", "? addrtype", "? --dst-type", "? LOCAL"),
    # ufw
    ("-j ufw-before-forward", "jump ufw-before-forward"),
    ('-m limit --limit 3/min -j LOG --log-prefix "[UFW BLOCK] "', "go-on", "? limit", "? --limit", "? 3/min"),
    ("-j REJECT --reject-with icmp-port-unreachable", "drop"),
    # firewalld
    ("-i eth0 -g FWD_public", "goto FWD_public", "entering eth0"),
    ("-p icmp -j ACCEPT", "accept", "protocol icmp"),
    ('-m set --match-set pods src -m comment --comment "mark" -j DROP', "drop",
     "? set", "? --match-set", "? pods", "? src"),
    # kube-proxy
    ('-m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD', "jump KUBE-FORWARD"),
    ('-m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT', "accept",
     "? mark", "never", "? 0x4000/0x4000"),
    ('-m comment --comment "kubernetes forwarding rules" -m mark ! --mark 0x4000/0x4000 -j DROP', "drop",
     "? mark", "not never", "? 0x4000/0x4000"),
    ('-m comment --comment "kubernetes forwarding conntrack rule" -m mark --mark 0x4000 -j ACCEPT', "accept",
     "? mark", "? --mark", "? 0x4000"),
    ("-m mark --mark 0x4000/0x4000 -j ACCEPT", "accept", "? mark", "? --mark", "? 0x4000/0x4000"),
    ("-p tcp -m tcp --tcp-flags SYN,RST tcp -j KUBE-FIREWALL", "jump KUBE-FIREWALL",
     "protocol tcp", "? --tcp-flags", "? SYN,RST", "? tcp"),
    # Targets of the kernel's behind which a rule may or may not be asked
    ("-j NFQUEUE --queue-num 0", "jump NFQUEUE"),
    # A rule that only counts
    ("-s 10.200.0.0/16", "go-on", "source 10.200.0.0/16"),
    # Cut off
    ("-s", "go-on", "? -s"),
    ("-m", "go-on", "? -m"),
    ("-j", "go-on", "? -j"),
    ("-m comment --comment", "go-on", "? --comment"),
    ('-m comment --comment "half', "unknown", "?"),
]  # fmt: skip
GOING_ON = (
    "LOG NFLOG MARK CONNMARK TCPMSS CT SET CLASSIFY DSCP TOS TTL CHECKSUM TRACE AUDIT SECMARK".split()  # noqa: SIM905
)

NFT = [
    # By hand, as in Debian's examples
    ("ip saddr 10.200.0.0/16 accept # handle 4", "accept", "source 10.200.0.0/16"),
    ("ip daddr != { 10.200.0.0/16, 10.0.1.0/24 } drop", "drop", "not destination 10.200.0.0/16,10.0.1.0/24"),
    ("ip daddr @pods drop", "drop", "destination @pods"),
    ("ip protocol icmp icmp type { echo-reply, echo-request } drop", "drop",
     "protocol icmp", "protocol icmp", "icmp-type echo-reply,echo-request"),
    ("tcp sport 80 accept", "accept", "protocol tcp", "source-port 80"),
    ("tcp dport != 22 drop", "drop", "protocol tcp", "not destination-port 22"),
    ("udp dport { 53, 123 } drop", "drop", "protocol udp", "destination-port 53,123"),
    ("udp sport != 53 drop", "drop", "protocol udp", "not source-port 53"),
    ("meta l4proto { tcp, udp } th dport 53 accept", "accept", "protocol tcp,udp", "destination-port 53"),
    ("meta l4proto tcp th sport 1024-65535 accept", "accept", "protocol tcp", "source-port 1024-65535"),
    ('iif "lo" accept', "accept", "entering lo"),
    ('iif "ens5" oif != "cnio0" drop', "drop", "entering ens5", "not leaving cnio0"),
    ('iifname { "cnio0", "docker0" } oifname "ens*" return', "return",
     "entering cnio0,docker0", "leaving ens*"),
    ("ct state established,related accept # handle 5", "accept", "state established,related"),
    ("ct state == established accept", "accept", "state established"),
    ("reject with icmpx admin-prohibited", "drop"),
    ("ip saddr 10.9.0.0/16 continue", "go-on", "source 10.9.0.0/16"),
    ("queue flags bypass to 0", "unknown"),
    # What else counts and notes, and lets pass on
    ("counter accept", "accept"),
    ("counter packets 12 bytes 720 # handle 9", "go-on"),
    ('counter name "pods" drop', "drop"),
    ('counter packets 0 bytes 0 comment "seen"', "go-on"),
    ("log drop", "drop"),
    ('log prefix "drop" level warn flags all drop', "drop"),
    ('log prefix "pods: " group 2 snaplen 64 queue-threshold 10 counter packets 0 bytes 0 accept', "accept"),
    # firewalld
    ("jump filter_FORWARD_POLICIES_pre", "jump filter_FORWARD_POLICIES_pre"),
    ('iifname "eth0" goto filter_FWD_public', "goto filter_FWD_public", "entering eth0"),
    ("ct status dnat accept", "accept", "? ct"),
    ("ip6 daddr { ::/96, ::ffff:0.0.0.0/96 } log prefix \"rfc3964: \" reject with icmpv6 addr-unreachable",
     "drop", "never"),
    # Docker and kube-proxy, through iptables-nft or their own tables
    ("counter packets 3 bytes 180 jump DOCKER-USER", "jump DOCKER-USER"),
    ('ip saddr 10.9.0.0/16 jump DOCKER-USER comment "ours"', "jump DOCKER-USER", "source 10.9.0.0/16"),
    ('oifname "docker0" ct state related,established counter packets 0 bytes 0 accept', "accept",
     "leaving docker0", "state related,established"),
    ("fib daddr type local counter packets 0 bytes 0 jump DOCKER", "jump DOCKER", "? fib"),
    ("meta mark & 0x00004000 == 0x00004000 accept", "accept", "? meta"),
    ("ct state vmap { established : accept, related : accept, invalid : drop }", "unknown", "? ct"),
    ("ip daddr . meta l4proto . th dport vmap @service-ips", "unknown", "? ip"),
    # Families, in a table of both
    ("meta nfproto ipv4 drop", "drop"),
    ("meta nfproto { ipv4, ipv6 } drop", "drop"),
    ("meta nfproto != ipv4 drop", "drop", "never"),
    ("meta nfproto ipv6 drop", "drop", "never"),
    ("meta nfproto != ipv6 drop", "drop"),
    ("meta protocol ip drop", "drop"),
    ("meta protocol ip6 drop", "drop", "never"),
    ("ether type ip drop", "drop"),
    ("ether type 0x0800 drop", "drop"),
    ("ether type arp drop", "drop", "never"),
    # What gives a packet another address lets it through
    ("dnat to 10.0.1.21:80", "accept"),
    ("snat to 10.0.1.21", "accept"),
    ("masquerade", "accept"),
    ("redirect to :8080", "accept"),
    # Ethernet's addresses are IPv4 packets' too
    ("ether saddr 02:42:ac:11:00:02 drop", "drop", "? ether"),
    ("vlan id 10 drop", "drop", "? vlan"),
    # What is passed over ends with the next statement: a prefix is no verdict
    ('limit rate 3/minute burst 5 packets log prefix "accept" drop', "drop", "? limit"),
    ("limit rate 3/minute counter packets 0 bytes 0 ip saddr 10.9.0.1 drop", "drop",
     "? limit", "source 10.9.0.1"),
    ("tcp flags syn tcp option maxseg size set rt mtu", "go-on", "protocol tcp", "? tcp"),
    ("udp length > 1400 drop", "drop", "protocol udp", "? udp"),
    # Cut off
    ("ip saddr", "go-on", "? ip"),
    ("ip saddr !=", "go-on"),
    ("jump", "jump"),
    ("log prefix", "go-on"),
    ('log prefix "half', "unknown", "?"),
]  # fmt: skip
OTHER_PROTOCOLS = [
    "ip6 saddr fd00::/8", "icmpv6 type echo-request", "udplite dport 53",
    "sctp dport 36412", "dccp dport 5001", "arp operation request",
]  # fmt: skip
CALCULATED = [
    "ip saddr . ip daddr @pairs", "ip saddr & 255.0.0.255 == 10.0.0.1", "ip saddr | 0.0.0.255 == 10.0.0.255",
    "ip saddr ^ 0.0.0.1 == 10.0.0.1", "ip daddr set 10.200.1.2",
]  # fmt: skip


@pytest.mark.parametrize(("text", "rule"), [(text, rule) for text, *rule in IPTABLES])
def test_a_rule_that_iptables_prints(text: str, rule: list[str]) -> None:
    assert said(parsed("iptables-nft", f"-A FORWARD {text}")) == tuple(rule)


@pytest.mark.parametrize("target", GOING_ON)
def test_targets_behind_which_the_next_rule_is_asked(target: str) -> None:
    assert said(parsed("iptables", f"-A FORWARD -i cnio0 -j {target}")) == ("go-on", "entering cnio0")


@pytest.mark.parametrize(("text", "rule"), [(text, rule) for text, *rule in NFT])
def test_a_rule_that_nft_prints(text: str, rule: list[str]) -> None:
    assert said(parsed("nft", text)) == tuple(rule)


@pytest.mark.parametrize("match", OTHER_PROTOCOLS)
def test_what_nft_asks_of_other_protocols_holds_for_no_packet_of_ours(match: str) -> None:
    assert said(parsed("nft", f"{match} accept")) == ("accept", "never")


@pytest.mark.parametrize("match", CALCULATED)
def test_what_nft_calculates_is_not_understood(match: str) -> None:
    assert said(parsed("nft", f"{match} accept")) == ("accept", f"? {match.split()[0]}")


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("operator", ["<", ">", "<=", ">="])
def test_what_nft_calculates_of_a_header_is_of_packets_that_have_one(protocol: str, operator: str) -> None:
    rule = parsed("nft", f"{protocol} dport {operator} 1024 accept")
    assert said(rule) == ("accept", f"protocol {protocol}", f"? {protocol}")


@pytest.mark.parametrize("tool", ["iptables", "nft"])
def test_the_text_is_kept_as_printed(tool: str) -> None:
    text = '-A FORWARD -m comment --comment "half' if tool == "iptables" else "drop # handle 7"
    assert parsed(tool, text).text == text


def test_the_number_of_a_rule_is_what_nft_prints_last() -> None:
    assert handle('log prefix "# handle 3" drop # handle 7') == "7"
    assert handle('log prefix "# handle 3" drop') == ""
