"""Faults that a small ping does not see: UDP, packets of full size, and packets lost by chance."""

from __future__ import annotations

from typing import Final

from kthw.intended import tutorial
from sandbox.faults.fault import Fault, Healthy

EVERY: Final = range(3)
_FILE: Final = "/etc/cni/net.d/10-bridge.conf"


def mtu(number: int, size: int) -> str:
    """The pods of a worker are given an MTU by its CNI file; 0: none any more."""
    change = f"conf.update(mtu={size})" if size else "conf.pop('mtu', None)"
    return f"""
ssh worker-{number} sudo python3 - <<'END'
import json, pathlib
file = pathlib.Path("{_FILE}")
conf = json.loads(file.read_text())
{change}
file.write_text(json.dumps(conf))
END"""


_NODES: Final = "aws ec2 {}-security-group-ingress --group-id ${{SG}} --protocol {} --cidr 10.0.0.0/16"
_TCP_AND_PINGS: Final = "\n".join(
    (
        _NODES.format("revoke", "all"),
        _NODES.format("authorize", "tcp --port 0-65535"),
        _NODES.format("authorize", "icmp --port -1"),
    )
)
_ALL_AGAIN: Final = "\n".join(
    (
        _NODES.format("authorize", "all"),
        _NODES.format("revoke", "tcp --port 0-65535"),
        _NODES.format("revoke", "icmp --port -1"),
        _NODES.format("revoke", "udp --port 0-65535"),
    )
)
_OUT: Final = "aws ec2 {}-security-group-egress --group-id ${{SG}} --protocol {} --cidr {}"
_OUT_TCP_AND_PINGS: Final = "\n".join(
    (
        _OUT.format("revoke", "all", "0.0.0.0/0"),
        _OUT.format("authorize", "tcp --port 0-65535", "0.0.0.0/0"),
        _OUT.format("authorize", "icmp --port -1", "0.0.0.0/0"),
    )
)
_ALL_OUT_AGAIN: Final = "\n".join(
    (
        _OUT.format("authorize", "all", "0.0.0.0/0"),
        _OUT.format("revoke", "tcp --port 0-65535", "0.0.0.0/0"),
        _OUT.format("revoke", "icmp --port -1", "0.0.0.0/0"),
        _OUT.format("revoke", "udp --port 0-65535", tutorial.POD_RANGE),
    )
)


def table(number: int, rule: str) -> str:
    """A table of nftables' own on a worker, whose forward chain has one rule."""
    return f"""
ssh worker-{number} sudo nft -f - <<'END'
add table inet trial
add chain inet trial forward {{ type filter hook forward priority 0; }}
add rule inet trial forward {rule}
END"""


def no_table(number: int) -> str:
    return f"ssh worker-{number} sudo nft delete table inet trial"


_BRIDGE: Final = """
ssh worker-1 sudo sh -e <<'END'
ip link add cnio0 type bridge
ip address add 10.200.1.1/24 dev cnio0
ip link set cnio0 up mtu 1300
END"""
"""As an older CNI file has left it behind, or somebody who tried."""
_NO_BRIDGE: Final = "ssh worker-1 sudo ip link del cnio0"

UDP: Final = (
    Fault(
        name="no UDP between the nodes",
        en="The security group lets TCP and pings in from the nodes, and no UDP: DNS will fail.",
        pt="O grupo de segurança deixa entrar TCP e pings dos nós, e nada de UDP: o DNS vai falhar.",
        breaks=_TCP_AND_PINGS,
        expected=("security-group-blocks.udp worker-0",),
        cleans=_ALL_AGAIN,
    ),
    Fault(
        name="no UDP out of the group",
        en="The security group lets TCP and pings out, and no UDP.",
        pt="O grupo de segurança deixa sair TCP e pings, e nada de UDP.",
        breaks=_OUT_TCP_AND_PINGS,
        expected=("security-group-blocks.udp worker-0",),
        cleans=_ALL_OUT_AGAIN,
    ),
    Fault(
        name="ACL denies the questions of DNS",
        en="An entry of the network ACL denies UDP port 53 from the first subnet.",
        pt="Uma entrada da ACL de rede nega a porta 53 de UDP vinda da primeira sub-rede.",
        stage="two subnets",
        breaks="acl ingress 50 deny 10.0.1.0/24 17 --port-range From=53,To=53",
        expected=("network-acl-blocks.udp worker-2",),
        cleans="open_acl",
    ),
    Fault(
        name="ACL forgets the answers of DNS",
        en="An entry of the network ACL denies UDP to high ports: questions come in, and no answers go out.",
        pt="Uma entrada da ACL de rede nega UDP para portas altas: entram perguntas e não saem respostas.",
        stage="two subnets",
        breaks="acl egress 50 deny 10.0.1.0/24 17 --port-range From=1024,To=65535",
        expected=("network-acl-blocks.udp worker-2",),
        cleans="open_acl",
    ),
    Fault(
        name="a rule drops UDP",
        en="A firewall script left a rule on worker-1 that drops all UDP that is forwarded.",
        pt="Um script de firewall deixou no worker-1 uma regra que descarta todo UDP encaminhado.",
        breaks="ssh worker-1 'sudo iptables -A FORWARD -p udp -j DROP'",
        expected=("forward-dropped.rule-udp worker-1",),
    ),
    Fault(
        name="nftables drops DNS",
        en="A hardening guide's table on worker-2 drops UDP port 53, so that nobody asks a foreign DNS.",
        pt="A tabela de um guia de segurança no worker-2 descarta a porta 53 de UDP, contra DNS alheio.",
        breaks=table(2, "udp dport 53 drop"),
        expected=("forward-dropped.rule-udp worker-2",),
        cleans=no_table(2),
    ),
    Fault(
        name="FORWARD accepts pings and TCP only",
        en="On worker-0 the policy of FORWARD is DROP, and rules accept pings and TCP.",
        pt="No worker-0 a política de FORWARD é DROP, e regras aceitam pings e TCP.",
        breaks="""
            ssh worker-0 'sudo iptables -A FORWARD -p icmp -j ACCEPT'
            ssh worker-0 'sudo iptables -A FORWARD -p tcp -j ACCEPT'
            ssh worker-0 'sudo iptables -P FORWARD DROP'
        """,
        expected=("forward-dropped.udp worker-0",),
        cleans="""
            ssh worker-0 'sudo iptables -D FORWARD -p icmp -j ACCEPT'
            ssh worker-0 'sudo iptables -D FORWARD -p tcp -j ACCEPT'
        """,
    ),
)

SIZES: Final = (
    Fault(
        name="a network card of 1300 bytes",
        en="The network interface of worker-1 was given an MTU of 1300, as for a tunnel.",
        pt="A interface de rede do worker-1 recebeu um MTU de 1300, como para um túnel.",
        breaks="ssh worker-1 'sudo ip link set ens5 mtu 1300'",
        expected=("packets-too-big.eni worker-1",),
    ),
    Fault(
        name="a bridge of 1300 bytes",
        en="The bridge of worker-1 has an MTU of 1300, and the pods on it 1500.",
        pt="A bridge do worker-1 tem um MTU de 1300, e os pods ligados a ela, 1500.",
        breaks=_BRIDGE,
        expected=("packets-too-big.bridge worker-1",),
        cleans=_NO_BRIDGE,
    ),
    Fault(
        name="a bridge of 1300 bytes, and nobody hears of it",
        en="The bridge of worker-1 has an MTU of 1300, and worker-0 drops the ICMP message that says so.",
        pt="A bridge do worker-1 tem um MTU de 1300, e o worker-0 descarta a mensagem ICMP que avisa.",
        breaks=f"{_BRIDGE}{table(0, 'icmp type destination-unreachable drop')}",
        expected=("packets-too-big.bridge worker-1", "packets-too-big.filter worker-0"),
        cleans=f"{_NO_BRIDGE}\n{no_table(0)}",
    ),
    Fault(
        name="jumbo pods on one node",
        en="The CNI file of worker-1 gives its pods an MTU of 8900, the others' have 1500.",
        pt="O arquivo CNI do worker-1 dá aos pods um MTU de 8900; os dos outros têm 1500.",
        breaks=mtu(1, 8900),
        expected=("packets-too-big.pods worker-1",),
        cleans=mtu(1, 0),
    ),
    Fault(
        name="pods of 1400 bytes on one node",
        en="The CNI file of worker-1 gives its pods an MTU of 1400, the others' have 1500.",
        pt="O arquivo CNI do worker-1 dá aos pods um MTU de 1400; os dos outros têm 1500.",
        breaks=mtu(1, 1400),
        expected=("packets-too-big.pods worker-1",),
        cleans=mtu(1, 0),
    ),
    Fault(
        name="a kernel route with an mtu",
        en="A kernel route on worker-0 to worker-1's pods says mtu 1400.",
        pt="Uma rota de kernel no worker-0 para os pods do worker-1 diz mtu 1400.",
        breaks="ssh worker-0 'sudo ip route add 10.200.1.0/24 via 10.0.1.1 dev ens5 mtu 1400'",
        expected=("packets-too-big.route worker-0",),
        cleans="ssh worker-0 'sudo ip route del 10.200.1.0/24'",
    ),
)

LOSSES: Final = (
    Fault(
        name="a rule of iptables loses a fifth",
        en="Somebody tried out a bad network on worker-1: a rule of iptables drops 20 % at random.",
        pt="Alguém imitou uma rede ruim no worker-1: uma regra do iptables descarta 20 % por sorteio.",
        breaks="ssh worker-1 'sudo iptables -A FORWARD -m statistic --mode random --probability 0.2 -j DROP'",
        expected=("packets-lost.rule worker-1",),
    ),
    Fault(
        name="a rule of nftables loses a fifth",
        en="A table of nftables on worker-1 drops 20 % of what is forwarded, at random.",
        pt="Uma tabela do nftables no worker-1 descarta 20 % do que é encaminhado, por sorteio.",
        breaks=table(1, "numgen random mod 100 < 20 drop"),
        expected=("packets-lost.rule worker-1",),
        cleans=no_table(1),
    ),
    Fault(
        name="every node loses a twentieth",
        en="Each node drops 5 % of what it hands on: of packets and their answers 19 % get lost.",
        pt="Cada nó descarta 5 % do que repassa: perdem-se 19 % dos pacotes e das respostas.",
        breaks="\n".join(table(n, "numgen random mod 100 < 5 drop") for n in EVERY),
        expected=tuple(f"packets-lost.rule worker-{n}" for n in EVERY),
        cleans="\n".join(no_table(n) for n in EVERY),
    ),
)

SEEN_BY_NO_PING: Final = (*UDP, *SIZES, *LOSSES)

HEALTHY: Final = (
    Healthy(
        name="everything takes 1450 bytes",
        en="Network interfaces and pods of all nodes have an MTU of 1450.",
        pt="As interfaces de rede e os pods de todos os nós têm um MTU de 1450.",
        does="\n".join(f"{mtu(n, 1450)}\nssh worker-{n} sudo ip link set ens5 mtu 1450" for n in EVERY),
        cleans="\n".join(f"{mtu(n, 0)}\nssh worker-{n} sudo ip link set ens5 mtu 9001" for n in EVERY),
    ),
    Healthy(
        name="jumbo pods",
        en="The pods of all nodes have an MTU of 8900.",
        pt="Os pods de todos os nós têm um MTU de 8900.",
        does="\n".join(mtu(n, 8900) for n in EVERY),
        cleans="\n".join(mtu(n, 0) for n in EVERY),
    ),
    Healthy(
        name="a UDP port closed that nobody needs",
        en="A table of nftables on worker-1 drops UDP port 9.",
        pt="Uma tabela do nftables no worker-1 descarta a porta 9 de UDP.",
        does=table(1, "udp dport 9 drop"),
        cleans=no_table(1),
    ),
    Healthy(
        name="an ACL that denies a UDP port nobody needs",
        en="Entries of the second subnet's network ACL deny UDP port 19, both ways.",
        pt="Entradas da ACL de rede da segunda sub-rede negam a porta 19 de UDP, nos dois sentidos.",
        stage="two subnets",
        does="""
            acl ingress 50 deny 0.0.0.0/0 17 --port-range From=19,To=19
            acl egress 50 deny 0.0.0.0/0 17 --port-range From=19,To=19
        """,
        cleans="open_acl",
    ),
    Healthy(
        name="a firewall that only counts",
        en="A table of nftables on worker-1 counts what is forwarded, and a rule of iptables does as well.",
        pt="Uma tabela do nftables no worker-1 conta o que é encaminhado, e uma regra do iptables também.",
        does=f"{table(1, 'ip saddr 10.200.0.0/16 counter')}\nssh worker-1 'sudo iptables -A FORWARD -p udp'",
        cleans=f"{no_table(1)}\nssh worker-1 'sudo iptables -D FORWARD -p udp'",
    ),
    Healthy(
        name="one packet of a hundred is lost",
        en="Each node loses 1 % of what it hands on, as a noisy lab may.",
        pt="Cada nó perde 1 % do que repassa, como pode acontecer num laboratório com ruído.",
        does="\n".join(table(n, "numgen random mod 100 < 1 drop") for n in EVERY),
        cleans="\n".join(no_table(n) for n in EVERY),
    ),
)
