"""Faults on the nodes themselves, as one types them over SSH; and those that nothing observed explains."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault

_FILE: Final = "/etc/cni/net.d/10-bridge.conf"


def _subnet(worker: str, subnet: str) -> str:
    """Another subnet in the CNI file."""
    return f"ssh {worker} 'sudo sed -i s#10.200.[0-9]*.0/24#{subnet}# {_FILE}'"


_TOKENS: Final = "aws ec2 modify-instance-metadata-options --instance-id ${WORKER_1} --http-tokens"
_FOR_PODS: Final = "6,48 0 0 30,21 0 2 10,48 0 0 31,21 1 0 200,6 0 0 0,6 0 0 2"
"""Classic BPF, from the Ethernet header: TC_ACT_SHOT for destinations in 10.200.0.0/16, else TC_ACT_OK."""
_ASKED: Final = f"""ssh worker-1 sh <<'END'
POD_CIDR=$(curl -s http://169.254.169.254/latest/user-data/ | tr '|' '\\n' | grep '^pod-cidr' | cut -d= -f2)
sudo sed -i "s#10.200.[0-9]*.0/24#$POD_CIDR#" {_FILE}
END"""
"""As the chapter asks for the worker's pod CIDR, and puts it where it belongs."""


FORWARDING: Final = (
    Fault(
        name="forwarding off on one node",
        en="Forwarding was switched off on worker-1.",
        pt="O encaminhamento foi desligado no worker-1.",
        breaks="ssh worker-1 'sudo sysctl -qw net.ipv4.ip_forward=0'",
        expected=("forwarding-off worker-1",),
    ),
    Fault(
        name="forwarding off on all nodes",
        en="A hardening script switched forwarding off on every node.",
        pt="Um script de segurança desligou o encaminhamento em todos os nós.",
        breaks="for n in 0 1 2; do ssh worker-$n 'sudo sysctl -qw net.ipv4.ip_forward=0'; done",
        expected=tuple(f"forwarding-off worker-{n}" for n in range(3)),
    ),
    Fault(
        name="forwarding off at the network card",
        en="A hardening script switched forwarding off at the network card of worker-1 alone.",
        pt="Um script de segurança desligou o encaminhamento só na placa de rede do worker-1.",
        breaks="ssh worker-1 'sudo sysctl -qw net.ipv4.conf.ens5.forwarding=0'",
        expected=("forwarding-off.interface worker-1",),
    ),
    Fault(
        name="FORWARD policy is DROP",
        en="Docker was installed on worker-1 and set the policy of FORWARD to DROP.",
        pt="O Docker foi instalado no worker-1 e mudou a política de FORWARD para DROP.",
        breaks="ssh worker-1 'sudo iptables -P FORWARD DROP'",
        expected=("forward-dropped worker-1",),
    ),
    Fault(
        name="a rule rejects what is forwarded",
        en="A firewall script left a rule on worker-2 that rejects everything forwarded.",
        pt="Um script de firewall deixou no worker-2 uma regra que rejeita tudo o que é encaminhado.",
        breaks="ssh worker-2 'sudo iptables -A FORWARD -j REJECT'",
        expected=("forward-dropped.rule worker-2",),
    ),
    Fault(
        name="nftables drops what is forwarded",
        en="An nftables table of a hardening guide on worker-0 has a forward chain with policy drop.",
        pt="Uma tabela nftables de um guia de segurança no worker-0 tem a cadeia forward com política drop.",
        breaks="""
            ssh worker-0 "sudo nft 'add table inet guide; \\
              add chain inet guide forward { type filter hook forward priority 0; policy drop; }'"
        """,
        expected=("forward-dropped worker-0",),
    ),
)

CNI: Final = (
    Fault(
        name="CNI file removed",
        en="The CNI file of worker-1 is not there.",
        pt="O arquivo CNI do worker-1 não está lá.",
        breaks=f"ssh worker-1 'sudo rm {_FILE} /etc/cni/net.d/99-loopback.conf'",
        expected=("cni-config-missing worker-1",),
    ),
    Fault(
        name="only the loopback configured",
        en="On worker-1 only the loopback's CNI file was written.",
        pt="No worker-1 só foi escrito o arquivo CNI do loopback.",
        breaks=f"ssh worker-1 'sudo mv {_FILE} /root/'",
        expected=("cni-config-missing worker-1",),
        cleans="ssh worker-1 'sudo rm /root/10-bridge.conf'",
    ),
    Fault(
        name="CNI file cut off",
        en="The CNI file of worker-1 was pasted without its last lines.",
        pt="O arquivo CNI do worker-1 foi colado sem as últimas linhas.",
        breaks=f"ssh worker-1 'sudo truncate -s 60 {_FILE}'",
        expected=("cni-config-missing.unreadable worker-1",),
    ),
    Fault(
        name="one POD_CIDR in all terminals",
        en="With input going to all terminals, every node was given the POD_CIDR of worker-0.",
        pt="Com a digitação indo para todos os terminais, cada nó recebeu o POD_CIDR do worker-0.",
        breaks="\n".join(_subnet(f"worker-{n}", "10.200.0.0/24") for n in (1, 2)),
        expected=tuple(f"cni-subnet-mismatch.of-another worker-{n}" for n in (1, 2)),
    ),
    Fault(
        name="CNI subnet of nobody",
        en="The CNI file of worker-1 says 10.201.1.0/24.",
        pt="O arquivo CNI do worker-1 diz 10.201.1.0/24.",
        breaks=_subnet("worker-1", "10.201.1.0/24"),
        expected=("cni-subnet-mismatch worker-1",),
    ),
    Fault(
        name="CNI subnet empty",
        en="The metadata service did not answer, and the CNI file of worker-1 has an empty subnet.",
        pt="O serviço de metadados não respondeu, e o arquivo CNI do worker-1 tem a sub-rede vazia.",
        breaks=_subnet("worker-1", ""),
        expected=("cni-subnet-mismatch.empty worker-1",),
    ),
    Fault(
        name="metadata with a token only",
        en="worker-1 answers IMDSv2 only, and the chapter's plain curl left its CNI file an empty subnet.",
        pt="O worker-1 só responde a IMDSv2, e o curl do capítulo deixou a sub-rede do arquivo CNI vazia.",
        breaks=f"{_TOKENS} required\n{_ASKED}",
        expected=("cni-subnet-mismatch.empty-imdsv2 worker-1",),
        cleans=f"{_TOKENS} optional",
    ),
)


def _conflict(name: str, en: str, pt: str, worker: str, route: str, variant: str) -> Fault:
    return Fault(
        name=name,
        en=en,
        pt=pt,
        breaks=f"ssh {worker} 'sudo ip route add {route}'",
        expected=(f"node-route-conflict{variant} {worker}",),
    )


SECOND_INTERFACE: Final = """
export OTHER=$(aws ec2 create-subnet --vpc-id ${VPC} --cidr-block 10.0.7.0/24 \\
  --query Subnet.SubnetId --output text)
export SECOND=$(aws ec2 create-network-interface --subnet-id $OTHER --groups ${SG} \\
  --query NetworkInterface.NetworkInterfaceId --output text)
export ATTACHED=$(aws ec2 attach-network-interface --network-interface-id $SECOND \\
  --instance-id ${WORKER_1} --device-index 1 --query AttachmentId --output text)
aws ec2 modify-network-interface-attribute --network-interface-id $SECOND --no-source-dest-check
route replace-route 10.200.1.0/24 "--network-interface-id $SECOND"
"""
"""The pods of worker-1 are reached by a network interface of their own."""
NO_SECOND_INTERFACE: Final = """
aws ec2 detach-network-interface --attachment-id ${ATTACHED}
route replace-route 10.200.1.0/24 "--instance-id ${WORKER_1}"
aws ec2 delete-network-interface --network-interface-id ${SECOND}
aws ec2 delete-subnet --subnet-id ${OTHER}
ssh worker-1 'sudo sysctl -qw net.ipv4.conf.all.rp_filter=0; sudo rm -f /etc/sysctl.d/99-reverse-path.conf'
"""

ROUTES: Final = (
    Fault(
        name="packets come in by another interface than answers leave by",
        en="The pods of worker-1 are reached by a second interface, and its old image has rp_filter = 1.",
        pt="Os pods do worker-1 são alcançados por outra interface, e sua imagem antiga tem rp_filter = 1.",
        breaks=f"{SECOND_INTERFACE}ssh worker-1 'sudo sysctl -qw net.ipv4.conf.all.rp_filter=1'",
        expected=("node-route-conflict.reverse-path worker-1",),
        cleans=NO_SECOND_INTERFACE,
    ),
    Fault(
        name="a policy rule drops what is for a peer's pods",
        en="A VPN client's kill switch on worker-0, a policy rule, drops what is for 10.200.1.0/24.",
        pt="Uma regra de política de um cliente de VPN no worker-0 descarta o que é para 10.200.1.0/24.",
        breaks="ssh worker-0 'sudo ip rule add pref 100 to 10.200.1.0/24 blackhole'",
        expected=("node-route-conflict.rule worker-0",),
    ),
    Fault(
        name="a policy rule prohibits what pods send",
        en="A policy rule on worker-2 prohibits what its pods send to other nodes' pods.",
        pt="Uma regra de política no worker-2 proíbe o que seus pods enviam aos de outros nós.",
        breaks="ssh worker-2 'sudo ip rule add pref 200 to 10.200.0.0/16 iif cnio0 prohibit'",
        expected=("node-route-conflict.rule worker-2",),
    ),
    Fault(
        name="a VPN takes the way to the pods",
        en="A VPN client on worker-0 has a table of its own for 10.200.1.0/24, with a default route.",
        pt="Um cliente de VPN no worker-0 tem uma tabela própria para 10.200.1.0/24, com rota padrão.",
        breaks="""
            ssh worker-0 'sudo sh -ec "ip link add vpn0 type veth peer name vpn1; ip link set vpn0 up
            ip route add default dev vpn0 table 100; ip rule add pref 100 to 10.200.1.0/24 lookup 100"'
        """,
        expected=("node-route-conflict.by-rule worker-0",),
        cleans="ssh worker-0 'sudo ip link del vpn0'",
    ),
    Fault(
        name="neighbours of an old pod",
        en="The bridge of worker-1 has permanent neighbour entries, from a script that means to spare ARP.",
        pt="A bridge do worker-1 tem vizinhos permanentes, de um script que quer poupar ARP.",
        breaks="""
            ssh worker-1 sudo sh -e <<'END'
ip link add cnio0 address 02:00:00:00:00:01 type bridge
ip address add 10.200.1.1/24 dev cnio0
ip link set cnio0 up
for n in $(seq 2 99); do ip neigh add 10.200.1.$n lladdr 02:00:00:00:00:99 dev cnio0 nud permanent; done
END""",
        expected=("node-route-conflict.neighbour worker-1",),
        cleans="ssh worker-1 sudo ip link del cnio0",
    ),
    Fault(
        name="a policy rule by source takes pods along",
        en="A script for a second card on worker-1 has a table asked for what pods send.",
        pt="Um script para uma segunda placa no worker-1 manda usar outra tabela para o que os pods enviam.",
        breaks="""
            ssh worker-1 'sudo ip route add default via 10.0.1.99 dev ens5 table 100'
            ssh worker-1 'sudo ip rule add pref 100 from 10.200.0.0/16 lookup 100'
        """,
        expected=("node-route-conflict.by-rule worker-1",),
        cleans="ssh worker-1 'sudo ip route flush table 100'",
    ),
    Fault(
        name="a policy rule by interface leads nowhere",
        en="A kill switch on worker-2 has an empty table asked for what comes in by the pods' bridge.",
        pt="Um bloqueio de VPN no worker-2 manda usar uma tabela sem saída para o que entra pela bridge.",
        breaks="""
            ssh worker-2 'sudo ip route add blackhole default table 100'
            ssh worker-2 'sudo ip rule add pref 100 iif cnio0 to 10.200.0.0/15 lookup 100'
        """,
        expected=("node-route-conflict.by-rule worker-2",),
        cleans="ssh worker-2 'sudo ip route flush table 100'",
    ),
    _conflict(
        "a node's route to a peer leads elsewhere",
        "A route typed on worker-0 sends what is for worker-1's pods to the loopback.",
        "Uma rota digitada no worker-0 manda para o loopback o que é para os pods do worker-1.",
        "worker-0",
        "10.200.1.0/24 dev lo",
        "",
    ),
    _conflict(
        "a node's route to a peer is unreachable",
        "A route typed on worker-2 makes worker-0's pods unreachable.",
        "Uma rota digitada no worker-2 torna inalcançáveis os pods do worker-0.",
        "worker-2",
        "unreachable 10.200.0.0/24",
        ".refused",
    ),
    _conflict(
        "a node's route to its own pods",
        "A route typed on worker-1 sends its own pods' range back to the VPC.",
        "Uma rota digitada no worker-1 manda a faixa dos próprios pods de volta para a VPC.",
        "worker-1",
        "10.200.1.0/25 via 10.0.1.1",
        ".own",
    ),
)

UNEXPLAINED: Final = (
    Fault(
        name="a rule of nftables that nobody understands",
        en="A table on worker-2 drops packets of pods by their length as they leave, and counts them.",
        pt="Uma tabela no worker-2 descarta pacotes de pods pelo tamanho quando saem, e os conta.",
        breaks="""
            ssh worker-2 "sudo nft 'add table inet guide; \\
              add chain inet guide c { type filter hook postrouting priority 0; }; \\
              add rule inet guide c iifname cnio0 ip daddr 10.200.0.0/16 meta length < 9999 counter drop'"
        """,
        expected=tuple(f"pod-unreachable.on-node-rule worker-{n}" for n in range(3)),
        cleans="ssh worker-2 'sudo nft delete table inet guide'",
    ),
    Fault(
        name="a tc filter drops",
        en="A filter of tc on the network card of worker-1 drops all that comes in for pods.",
        pt="Um filtro do tc na placa de rede do worker-1 descarta tudo o que chega para pods.",
        breaks=f"""
            ssh worker-1 'sudo tc qdisc add dev ens5 clsact'
            ssh worker-1 "sudo tc filter add dev ens5 ingress bpf da bytecode '{_FOR_PODS}'"
        """,
        expected=tuple(f"pod-unreachable.on-node-program worker-{n}" for n in range(3)),
        cleans="ssh worker-1 'sudo tc qdisc del dev ens5 clsact'",
    ),
    Fault(
        name="a rule sends packets for pods elsewhere",
        en="An old rule for a service on worker-0 gives what is for worker-1's pods another destination.",
        pt="Uma regra antiga de um serviço no worker-0 dá outro destino ao que é para os pods do worker-1.",
        breaks="""
            ssh worker-0 \\
              'sudo iptables -t nat -A PREROUTING -i cnio0 -d 10.200.1.0/24 -j DNAT --to 10.200.2.250'
        """,
        expected=("pod-unreachable.astray-rule worker-0", "pod-unreachable.astray-rule worker-1"),
    ),
    Fault(
        name="a rule that nobody understands",
        en="A raw rule on worker-1 drops pings to its pods by their length, which nobody judges.",
        pt="Uma regra raw no worker-1 descarta pings para os pods pelo tamanho, que não é avaliado.",
        breaks="""
            ssh worker-1 \
              'sudo iptables -t raw -A PREROUTING -p icmp -d 10.200.1.0/24 -m length --length 1:9999 -j DROP'
        """,
        expected=tuple(f"pod-unreachable.on-node-rule worker-{n}" for n in range(3)),
    ),
    Fault(
        name="an INPUT rule that nobody understands",
        en="An INPUT rule on worker-1 drops what its own pods send to the node by its length.",
        pt="Uma regra INPUT no worker-1 descarta, pelo tamanho, o que os próprios pods mandam ao nó.",
        breaks="ssh worker-1 'sudo iptables -A INPUT -s 10.200.1.0/24 -m length --length 1:9999 -j DROP'",
        expected=("pod-unreachable.node worker-1",),
        restores="ssh worker-1 'sudo iptables -F INPUT'",
    ),
    Fault(
        name="answers leave by a second interface",
        en="worker-1 has a second interface in worker-2's subnet, whose source/dest check drops the answers.",
        pt="O worker-1 tem outra interface na sub-rede do worker-2, cuja verificação descarta as respostas.",
        stage="two subnets",
        breaks="""
            export SECOND=$(aws ec2 create-network-interface --subnet-id ${SUBNET_2} --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            export ATTACHED=$(aws ec2 attach-network-interface --network-interface-id $SECOND \\
              --instance-id ${WORKER_1} --device-index 1 --query AttachmentId --output text)
        """,
        expected=tuple(f"pod-unreachable.reply-in-vpc worker-{n}" for n in (1, 2)),
        restores="""
            aws ec2 detach-network-interface --attachment-id ${ATTACHED}
            aws ec2 delete-network-interface --network-interface-id ${SECOND}
        """,
    ),
)
