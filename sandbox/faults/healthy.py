"""Clusters that differ from the tutorial's and are right."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Healthy
from sandbox.faults.faults_of_cni import WELL
from sandbox.faults.faults_of_hooks import HARMLESS
from sandbox.faults.faults_of_nodes import NO_SECOND_INTERFACE, SECOND_INTERFACE
from sandbox.faults.faults_of_packets import HEALTHY as OF_PACKETS
from sandbox.faults.faults_of_plugins import FILE, UNPACKED, left_over, runtime_of_debian
from sandbox.faults.healthy_by_nodes import BY_NODES
from sandbox.faults.healthy_in_aws import IN_AWS
from sandbox.faults.installed_networks import CHECKS_OFF, CHECKS_ON, NO_ROUTES, REMOVED, ROUTES, VXLAN

_STAGED: Final = (
    ("the tutorial's cluster", "The tutorial's cluster.", "O cluster do tutorial.", "tutorial"),
    ("one worker", "A single worker.", "Um único worker.", "one worker"),
    ("two workers", "Two workers.", "Dois workers.", "two workers"),
    ("twelve workers", "Twelve workers.", "Doze workers.", "twelve workers"),
    (
        "VPC 172.31.0.0/16",
        "Another VPC range, pods in 172.20.",
        "Outra faixa da VPC, pods em 172.20.",
        "172.31",
    ),
    ("VPC = subnet", "VPC and subnet are both 10.240.0.0/24.", "VPC e sub-rede são 10.240.0.0/24.", "10.240"),
    ("VPC 192.168.0.0/20", "A small VPC, pods in 10.244.", "Uma VPC pequena, pods em 10.244.", "192.168"),
    ("pods in 100.64", "Pods in 100.64.0.0/10.", "Pods em 100.64.0.0/10.", "shared pods"),
    ("pod ranges of /20", "Pod CIDRs of /20.", "CIDRs de pods de /20.", "wide pods"),
    ("pod ranges of /27", "Pod CIDRs of /27.", "CIDRs de pods de /27.", "narrow pods"),
    (
        "short names",
        "Workers named node0, node1, node2.",
        "Workers chamados node0, node1, node2.",
        "node names",
    ),
    ("long names", "Workers named as private DNS names.", "Workers com nomes de DNS privado.", "long names"),
    (
        "two subnets, two tables",
        "Two subnets, each with its table and network ACL.",
        "Duas sub-redes, cada uma com sua tabela e ACL de rede.",
        "two subnets",
    ),
    (
        "two subnets, one table",
        "Two subnets associated with one table.",
        "Duas sub-redes associadas a uma só tabela.",
        "two subnets, one table",
    ),
    (
        "main table on purpose",
        "The pod routes are in the main table, which rules the subnet.",
        "As rotas de pods estão na tabela principal, que governa a sub-rede.",
        "main table",
    ),
    (
        "main table for two subnets",
        "The main table rules two subnets.",
        "A tabela principal governa duas sub-redes.",
        "main table, two subnets",
    ),
    (
        "routes by interface",
        "The routes name network interfaces and not instances.",
        "As rotas citam interfaces de rede e não instâncias.",
        "by interface",
    ),
    (
        "masquerade off",
        "Masquerade is off, and a rule lets the pods' own addresses in.",
        "O masquerade está desligado, e uma regra deixa entrar os endereços dos próprios pods.",
        "bare",
    ),
    (
        "masquerade off, two subnets",
        "Masquerade is off, and two subnets have a table and a network ACL each.",
        "O masquerade está desligado, e duas sub-redes têm cada uma sua tabela e ACL de rede.",
        "two subnets, bare",
    ),
)

HEALTHY: Final = (
    *(Healthy(name=name, en=en, pt=pt, stage=stage) for name, en, pt, stage in _STAGED),
    Healthy(
        name="user data is a script",
        en="The user data of worker-1 is a shell script that exports POD_CIDR.",
        pt="O user data do worker-1 é um script de shell que exporta POD_CIDR.",
        does="user_data ${WORKER_1} $'#!/bin/bash\\nexport POD_CIDR=10.200.1.0/24\\n'",
        cleans="user_data ${WORKER_1} 'name=worker-1|pod-cidr=10.200.1.0/24'",
    ),
    Healthy(
        name="pod CIDR in a tag",
        en="The user data of worker-1 has its name only; its tag pod_cidr says the pod CIDR.",
        pt="O user data do worker-1 só tem o nome dele; a tag pod_cidr diz o pod CIDR.",
        does="""
            user_data ${WORKER_1} 'name=worker-1'
            aws ec2 create-tags --resources ${WORKER_1} --tags Key=pod_cidr,Value=10.200.1.0/24
        """,
        cleans="""
            user_data ${WORKER_1} 'name=worker-1|pod-cidr=10.200.1.0/24'
            aws ec2 delete-tags --resources ${WORKER_1} --tags Key=pod_cidr
        """,
    ),
    Healthy(
        name="pod CIDR in the CNI file only",
        en="worker-1 has no user data; its CNI file was written by hand, and the route as well.",
        pt="O worker-1 não tem user data; o arquivo CNI dele foi escrito à mão, e a rota também.",
        does="user_data ${WORKER_1} ''",
        cleans="user_data ${WORKER_1} 'name=worker-1|pod-cidr=10.200.1.0/24'",
    ),
    Healthy(
        name="a terminated namesake",
        en="A first worker-1 was terminated, and AWS still lists it.",
        pt="Um primeiro worker-1 foi encerrado, e a AWS ainda o lista.",
        does="aws ec2 terminate-instances --instance-ids $(launch worker-1 10.0.1.41 name=worker-1)",
    ),
    Healthy(
        name="a stopped namesake",
        en="An older worker-1 is kept, stopped.",
        pt="Um worker-1 mais antigo é mantido, parado.",
        does="""
            export OLD=$(launch worker-1 10.0.1.41 name=worker-1)
            aws ec2 stop-instances --instance-ids $OLD
        """,
        cleans="aws ec2 terminate-instances --instance-ids ${OLD}",
    ),
    Healthy(
        name="foreign routes",
        en="Routes of others: VPN, peering, transit, NAT, an endpoint's prefix list, IPv6.",
        pt="Rotas alheias: VPN, peering, transit, NAT, lista de prefixos de um endpoint, IPv6.",
        does="""
            vgw=$(aws ec2 create-vpn-gateway --type ipsec.1 --query VpnGateway.VpnGatewayId --output text)
            aws ec2 attach-vpn-gateway --vpn-gateway-id $vgw --vpc-id ${VPC}
            route create-route 192.168.0.0/16 "--gateway-id $vgw"
            route create-route 10.200.0.0/16 "--gateway-id $vgw"
            other=$(aws ec2 create-vpc --cidr-block 10.8.0.0/16 --query Vpc.VpcId --output text)
            pcx=$(aws ec2 create-vpc-peering-connection --vpc-id ${VPC} --peer-vpc-id $other \\
              --query VpcPeeringConnection.VpcPeeringConnectionId --output text)
            route create-route 10.8.0.0/16 "--vpc-peering-connection-id $pcx"
            nat=$(aws ec2 create-nat-gateway --subnet-id ${SUBNET} --connectivity-type private \\
              --query NatGateway.NatGatewayId --output text)
            route create-route 172.16.0.0/12 "--nat-gateway-id $nat"
            eigw=$(aws ec2 create-egress-only-internet-gateway --vpc-id ${VPC} --output text \\
              --query EgressOnlyInternetGateway.EgressOnlyInternetGatewayId)
            aws ec2 create-route --route-table-id ${TABLE} --destination-ipv6-cidr-block ::/0 \\
              --egress-only-internet-gateway-id $eigw
            list=$(aws ec2 create-managed-prefix-list --prefix-list-name ours --address-family IPv4 \\
              --max-entries 2 --entries Cidr=10.77.0.0/16 --query PrefixList.PrefixListId --output text)
            aws ec2 create-route --route-table-id ${TABLE} --destination-prefix-list-id $list \\
              --vpc-peering-connection-id $pcx
        """,
        cleans="""
            for destination in 192.168.0.0/16 10.200.0.0/16 10.8.0.0/16 172.16.0.0/12; do
              route delete-route $destination ''
            done
        """,
    ),
    Healthy(
        name="a second VPC range",
        en="The VPC has a secondary CIDR, 10.9.0.0/16.",
        pt="A VPC tem um CIDR secundário, 10.9.0.0/16.",
        does="aws ec2 associate-vpc-cidr-block --vpc-id ${VPC} --cidr-block 10.9.0.0/16",
    ),
    Healthy(
        name="a second interface",
        en="worker-1 has a second network interface in another subnet, which no route names.",
        pt="O worker-1 tem uma segunda interface de rede em outra sub-rede, que nenhuma rota cita.",
        does="""
            export OTHER=$(aws ec2 create-subnet --vpc-id ${VPC} --cidr-block 10.0.7.0/24 \\
              --query Subnet.SubnetId --output text)
            export SECOND=$(aws ec2 create-network-interface --subnet-id $OTHER --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            export ATTACHED=$(aws ec2 attach-network-interface --network-interface-id $SECOND \\
              --instance-id ${WORKER_1} --device-index 1 --query AttachmentId --output text)
        """,
        cleans="""
            aws ec2 detach-network-interface --attachment-id ${ATTACHED}
            aws ec2 delete-network-interface --network-interface-id ${SECOND}
            aws ec2 delete-subnet --subnet-id ${OTHER}
        """,
    ),
    Healthy(
        name="pods reached by a second interface",
        en="The pods of worker-1 are reached by a second interface, and rp_filter is 2, as Ubuntu has it.",
        pt="Os pods do worker-1 são alcançados por outra interface, e rp_filter é 2, como no Ubuntu.",
        does=f"{SECOND_INTERFACE}ssh worker-1 'sudo sysctl -qw net.ipv4.conf.all.rp_filter=2'",
        cleans=NO_SECOND_INTERFACE,
    ),
    Healthy(
        name="extra security groups",
        en="worker-1 has a second security group without any rule.",
        pt="O worker-1 tem um segundo grupo de segurança sem nenhuma regra.",
        does="""
            export EXTRA=$(aws ec2 create-security-group --group-name extra-$RANDOM$RANDOM \\
              --description extra --vpc-id ${VPC} --query GroupId --output text)
            aws ec2 modify-instance-attribute --instance-id ${WORKER_1} --groups ${SG} $EXTRA
        """,
        cleans="""
            aws ec2 modify-instance-attribute --instance-id ${WORKER_1} --groups ${SG}
            aws ec2 delete-security-group --group-id ${EXTRA}
        """,
    ),
    Healthy(
        name="a rule for the group itself",
        en="The node range's rule is replaced by one that names the security group itself.",
        pt="A regra da faixa dos nós é trocada por uma que cita o próprio grupo de segurança.",
        does="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol all --source-group ${SG}
        """,
        cleans="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --source-group ${SG}
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
        """,
    ),
    Healthy(
        name="two halves for one worker",
        en="Two routes of /25 lead to worker-1, instead of one of /24.",
        pt="Duas rotas de /25 levam ao worker-1, em vez de uma de /24.",
        does="""
            route create-route 10.200.1.0/25 "--instance-id ${WORKER_1}"
            route create-route 10.200.1.128/25 "--instance-id ${WORKER_1}"
            route delete-route 10.200.1.0/24 ''
        """,
        cleans="""
            route create-route 10.200.1.0/24 "--instance-id ${WORKER_1}"
            route delete-route 10.200.1.0/25 ''
            route delete-route 10.200.1.128/25 ''
        """,
    ),
    Healthy(
        name="plugins of Debian's package",
        en="worker-1 has Debian's containerd and plugins, which are in /usr/lib/cni.",
        pt="O worker-1 tem o containerd e os plugins do Debian, que ficam em /usr/lib/cni.",
        does=f"{runtime_of_debian('worker-1')}\nssh worker-1 'sudo umount /opt/cni/bin'",
        cleans=f"{UNPACKED}\nssh worker-1 'sudo rm -r /etc/containerd'",
    ),
    Healthy(
        name="chained plugins",
        en="The CNI file of worker-1 is a list, in which portmap follows the bridge.",
        pt="O arquivo CNI do worker-1 é uma lista, em que portmap vem depois da bridge.",
        does=f"""ssh worker-1 sudo python3 - <<'END'
import json, pathlib
file = pathlib.Path("{FILE}")
bridge = json.loads(file.read_text())
listed = [bridge, {{"type": "portmap", "capabilities": {{"portMappings": True}}}}]
network = {{"cniVersion": "0.4.0", "name": "bridge", "plugins": listed}}
file.with_name("05-bridge.conflist").write_text(json.dumps(network))
END""",
        cleans="ssh worker-1 'sudo rm /etc/cni/net.d/05-bridge.conflist'",
    ),
    Healthy(
        name="a later file of another network",
        en="worker-1 still has the CNI file of Weave, which comes after the tutorial's.",
        pt="O worker-1 ainda tem o arquivo CNI do Weave, que vem depois do arquivo do tutorial.",
        does=left_over("worker-1", "20-weave.conflist", "weave-net"),
        cleans="ssh worker-1 'sudo rm /etc/cni/net.d/20-weave.conflist'",
    ),
    *WELL,
    *IN_AWS,
    Healthy(
        name="ACL within one subnet",
        en="The network ACL denies the pods, and is not asked: all workers are in one subnet.",
        pt="A ACL de rede nega os pods, e não é consultada: todos os workers estão na mesma sub-rede.",
        does="""
            aws ec2 create-network-acl-entry --network-acl-id ${ACL} --ingress --rule-number 50 \\
              --protocol -1 --cidr-block 10.200.0.0/16 --rule-action deny
        """,
        cleans="""
            aws ec2 delete-network-acl-entry --network-acl-id ${ACL} --ingress --rule-number 50
        """,
    ),
    *BY_NODES,
    *OF_PACKETS,
    *HARMLESS,
    Healthy(
        name="flannel in tunnels",
        en="The network is flannel's, in VXLAN tunnels: no VPC route, and every source/dest check is on.",
        pt="A rede é a do flannel, em túneis VXLAN: nenhuma rota da VPC, e toda verificação está ligada.",
        does=f"{VXLAN}\n{NO_ROUTES}\n{CHECKS_ON}",
        cleans=f"{REMOVED}\n{ROUTES}\n{CHECKS_OFF}",
    ),
)
