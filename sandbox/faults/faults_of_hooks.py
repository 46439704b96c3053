"""Faults of firewalls at the hooks that few people look at, and firewalls there that harm nobody."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault, Healthy


def _table(worker: int, family: str, base: str, *rules: str) -> str:
    """A table of nftables' own with one chain."""
    lines = "\n".join(f"add rule {family} guide c {rule}" for rule in rules)
    return f"""
ssh worker-{worker} sudo nft -f - <<'END'
add table {family} guide
add chain {family} guide c {{ type filter hook {base} }}
{lines}
END"""


def _no_table(worker: int, *families: str) -> str:
    return "\n".join(f"ssh worker-{worker} 'sudo nft delete table {family} guide'" for family in families)


HOOKS: Final = (
    Fault(
        name="a raw rule drops pings",
        en="A raw rule on worker-1 drops pings to its pods before FORWARD is asked.",
        pt="Uma regra raw no worker-1 descarta pings para os pods antes de FORWARD ser consultada.",
        breaks="ssh worker-1 'sudo iptables -t raw -A PREROUTING -p icmp -d 10.200.1.0/24 -j DROP'",
        expected=("forward-dropped.rule-hook worker-1",),
    ),
    Fault(
        name="pods cut off from the internet",
        en="A raw rule on worker-1 drops what goes to one host on the internet.",
        pt="Uma regra raw no worker-1 descarta o que vai para um host da internet.",
        breaks="ssh worker-1 'sudo iptables -t raw -A PREROUTING -d 1.1.1.1 -j DROP'",
        expected=("forward-dropped.rule-hook worker-1",),
    ),
    Fault(
        name="one half of the pods is dropped",
        en="A rule on worker-1 drops what is for the upper half of its pod CIDR, where no pod is yet.",
        pt="Uma regra no worker-1 descarta o que vai para a metade de cima do pod CIDR, ainda sem pods.",
        breaks="ssh worker-1 'sudo iptables -I FORWARD -d 10.200.1.128/25 -j DROP'",
        expected=("forward-dropped.rule worker-1",),
    ),
    Fault(
        name="a mangle rule drops DNS on its way out",
        en="A mangle rule of worker-2 drops UDP port 53 of the pods as it leaves the node.",
        pt="Uma regra mangle do worker-2 descarta a porta 53 de UDP dos pods na saída do nó.",
        breaks="""
            ssh worker-2 'sudo iptables -t mangle -A POSTROUTING -s 10.200.2.0/24 -p udp --dport 53 -j DROP'
        """,
        expected=("forward-dropped.rule-hook worker-2",),
    ),
    Fault(
        name="a mangle rule drops the answers of pings",
        en="A mangle rule of worker-0 drops the answers of pings, which bear the node's address.",
        pt="Uma regra mangle do worker-0 descarta as respostas de pings, no endereço do nó, quando voltam.",
        breaks="""
            ssh worker-0 'sudo iptables -t mangle -A PREROUTING -d 10.0.1.20 -p icmp --icmp-type 0 -j DROP'
        """,
        expected=("forward-dropped.rule-hook worker-0",),
    ),
    Fault(
        name="nftables drops before routing",
        en="A hardening guide's table on worker-1 takes nothing in but SSH, and that at prerouting.",
        pt="A tabela de um guia de segurança no worker-1 só deixa entrar SSH, e isso em prerouting.",
        breaks=_table(
            1, "inet", "prerouting priority raw; policy drop;", "tcp dport 22 accept", "iif lo accept"
        ),
        expected=("forward-dropped.hook worker-1",),
        cleans=_no_table(1, "inet"),
    ),
    Fault(
        name="a netdev table drops at the card",
        en="A table against floods on worker-1 drops what comes to a web port at the network card's ingress.",
        pt="Uma tabela contra floods no worker-1 descarta o que chega a uma porta web no ingress da placa.",
        breaks=_table(1, "netdev", "ingress device ens5 priority 0;", "tcp dport { 80, 8080 } counter drop"),
        expected=("forward-dropped.rule-hook worker-1",),
        cleans=_no_table(1, "netdev"),
    ),
    Fault(
        name="a netdev table drops at the bridge",
        en="A table on worker-2 has the policy drop at the ingress of the pods' bridge.",
        pt="Uma tabela no worker-2 tem política drop no ingress da bridge dos pods.",
        breaks=_table(2, "netdev", "ingress device cnio0 priority 0; policy drop;", "ether type arp accept"),
        expected=("forward-dropped.hook worker-2",),
        cleans=_no_table(2, "netdev"),
    ),
    Fault(
        name="a netdev table drops as packets leave",
        en="A table on worker-0 drops pings at the card's egress, where they have the node's address.",
        pt="Uma tabela no worker-0 descarta pings no egress da placa, onde já têm o endereço do nó.",
        breaks=_table(
            0,
            "netdev",
            "egress device ens5 priority 0;",
            "ip saddr 10.0.1.20 icmp type echo-request drop",
        ),
        expected=("forward-dropped.rule-hook worker-0",),
        cleans=_no_table(0, "netdev"),
    ),
    Fault(
        name="a bridge's own table drops",
        en="A table of the family bridge on worker-1 drops TCP that pods send through the bridge.",
        pt="Uma tabela da família bridge no worker-1 descarta o TCP que os pods enviam pela bridge.",
        breaks=_table(1, "bridge", "input priority 0;", "ip protocol tcp drop"),
        expected=("forward-dropped.rule-hook worker-1",),
        cleans=_no_table(1, "bridge"),
    ),
    Fault(
        name="the node does not answer its pods",
        en="An INPUT rule on worker-1 drops what its own pods send to the node.",
        pt="Uma regra INPUT no worker-1 descarta o que os próprios pods mandam ao nó.",
        breaks="ssh worker-1 'sudo iptables -A INPUT -s 10.200.1.0/24 -j DROP'",
        expected=("forward-dropped.rule-own-node worker-1",),
    ),
    Fault(
        name="a host firewall that forgets the pods",
        en="On worker-2 the policy of INPUT is DROP, and only what comes in by the network card is accepted.",
        pt="No worker-2 a política de INPUT é DROP, e só se aceita o que entra pela placa de rede.",
        breaks="ssh worker-2 'sudo iptables -A INPUT ! -i cnio0 -j ACCEPT; sudo iptables -P INPUT DROP'",
        expected=("forward-dropped.own-node worker-2",),
        cleans="ssh worker-2 'sudo iptables -F INPUT'",
    ),
)

HARMLESS: Final = (
    Healthy(
        name="a firewall that counts at every hook",
        en="worker-1 counts packets at every hook there is, and drops none.",
        pt="O worker-1 conta pacotes em cada hook que existe, e não descarta nenhum.",
        does="".join(
            (
                _table(1, "netdev", "ingress device ens5 priority 0;", "ip daddr 10.0.0.0/16 counter"),
                _table(1, "bridge", "input priority 0;", "ip saddr 10.200.1.0/24 counter"),
                _table(1, "inet", "postrouting priority 110;", "counter"),
                """
ssh worker-1 'sudo iptables -t raw -A PREROUTING -s 10.200.0.0/16'
ssh worker-1 'sudo iptables -t mangle -A POSTROUTING -d 10.200.0.0/16'
""",
            )
        ),
        cleans=f"""{_no_table(1, "netdev", "bridge", "inet")}
ssh worker-1 'sudo iptables -t raw -F; sudo iptables -t mangle -F'
""",
    ),
    Healthy(
        name="firewalls at other hooks that mean others",
        en="worker-1 keeps pods from the instance metadata (raw), and drops floods of another port.",
        pt="O worker-1 separa os pods dos metadados da instância (raw) e descarta floods de outra porta.",
        does="".join(
            (
                _table(
                    1, "netdev", "ingress device ens5 priority 0;", "udp dport 1900 drop", "tcp dport 23 drop"
                ),
                """
ssh worker-1 'sudo iptables -t raw -A PREROUTING -i cnio0 -d 169.254.169.254 -j DROP'
""",
            )
        ),
        cleans=f"{_no_table(1, 'netdev')}\nssh worker-1 'sudo iptables -t raw -F'",
    ),
    Healthy(
        name="a table of its own for another address",
        en="worker-1 has a table asked by the address of a second card, and one for pods, as usual.",
        pt="O worker-1 usa outra tabela para o endereço de uma segunda placa, e outra para pods, igual.",
        does="""
            ssh worker-1 'sudo ip route add default via 10.0.1.99 dev ens5 table 100'
            ssh worker-1 'sudo ip route add default via 10.0.1.1 dev ens5 table 101'
            ssh worker-1 'sudo ip rule add pref 100 from 10.0.7.9 lookup 100'
            ssh worker-1 'sudo ip rule add pref 101 from 10.200.1.0/24 to 10.200.0.0/24 lookup 101'
        """,
        cleans="""
            ssh worker-1 'sudo ip rule del pref 100; sudo ip rule del pref 101'
            ssh worker-1 'sudo ip route flush table 100; sudo ip route flush table 101'
        """,
    ),
    Healthy(
        name="a host firewall as ufw makes it",
        en="On worker-1 the policy of INPUT is DROP; pings, SSH and answers are accepted.",
        pt="No worker-1 a política de INPUT é DROP; aceitam-se pings, SSH e respostas.",
        does="""
            ssh worker-1 'sudo iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'
            ssh worker-1 'sudo iptables -A INPUT -p icmp --icmp-type echo-request -j ACCEPT'
            ssh worker-1 'sudo iptables -A INPUT -p tcp --dport 22 -j ACCEPT; sudo iptables -P INPUT DROP'
        """,
        cleans="ssh worker-1 'sudo iptables -P INPUT ACCEPT; sudo iptables -F INPUT'",
    ),
)
