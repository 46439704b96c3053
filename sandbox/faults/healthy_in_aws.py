"""Variants in AWS that the tutorial does not have, and that are right: interfaces, prefix lists, ICMP."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Healthy
from sandbox.faults.faults_of_prefix_lists import OPEN, SHUT, UNROUTE

IN_AWS: Final = (
    Healthy(
        name="two halves by a second interface",
        en="Two routes of /25 lead to a second interface of worker-1, whose source/dest check is off.",
        pt="Duas rotas de /25 levam a uma segunda interface do worker-1, cuja verificação de origem/destino "
        "está desligada.",
        does="""
            second ${SG}
            for half in 10.200.1.0/25 10.200.1.128/25; do
              route create-route $half "--network-interface-id $SECOND"
            done
            route delete-route 10.200.1.0/24 ''
        """,
        cleans="""
            route create-route 10.200.1.0/24 "--network-interface-id ${WORKER_1_ENI}"
            for half in 10.200.1.0/25 10.200.1.128/25; do route delete-route $half ''; done
            drop_second
        """,
    ),
    Healthy(
        name="a group for the senders of each table",
        en="The second subnet's table leads to another interface of worker-1, whose security group lets in "
        "that subnet only.",
        pt="A tabela da segunda sub-rede leva a outra interface do worker-1, cujo grupo de segurança só "
        "deixa entrar essa sub-rede.",
        stage="two subnets",
        does="""
            group_for 10.0.2.0/24
            second $ONLY
            route replace-route 10.200.1.0/24 "--network-interface-id $SECOND" ${TABLE_2}
        """,
        cleans="""
            route replace-route 10.200.1.0/24 "--network-interface-id ${WORKER_1_ENI}" ${TABLE_2}
            drop_second
            aws ec2 delete-security-group --group-id $ONLY
        """,
    ),
    Healthy(
        name="a prefix list for one worker",
        en="A prefix list with two halves leads to worker-1, instead of a route.",
        pt="Uma lista de prefixos com duas metades leva ao worker-1, em vez de uma rota.",
        does="""
            listing 10.200.1.0/25 10.200.1.128/25
            by_list create-route "--network-interface-id ${WORKER_1_ENI}"
            route delete-route 10.200.1.0/24 ''
        """,
        cleans='route create-route 10.200.1.0/24 "--network-interface-id ${WORKER_1_ENI}"' + UNROUTE,
    ),
    Healthy(
        name="a prefix list that the routes go before",
        en="A prefix list with all pods leads to worker-0, and each worker has a route of its own beside.",
        pt="Uma lista de prefixos com todos os pods leva ao worker-0, e cada worker tem também a sua rota.",
        does="""
            listing 10.200.0.0/24 10.200.1.0/24 10.200.2.0/24
            by_list create-route "--instance-id ${WORKER_0}"
        """,
        cleans=UNROUTE,
    ),
    Healthy(
        name="a prefix list in the security group",
        en="The security group's rule for the nodes names a prefix list of their addresses.",
        pt="A regra do grupo de segurança para os nós cita uma lista de prefixos com os endereços deles.",
        does="listing ${WORKER_0_IP}/32 ${WORKER_1_IP}/32 ${WORKER_2_IP}/32" + OPEN,
        cleans="""
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
        """
        + SHUT,
    ),
    Healthy(
        name="TCP, DNS and pings only",
        en="The rules for the nodes are for TCP, for UDP port 53 and for pings, ICMP type 8 code 0.",
        pt="As regras para os nós valem para TCP, para a porta 53 de UDP e para pings, ICMP tipo 8 código 0.",
        does="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
            for allowed in 'tcp --port 0-65535' 'udp --port 53'; do
              aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol $allowed \\
                --cidr 10.0.0.0/16
            done
            aws ec2 authorize-security-group-ingress --group-id ${SG} --ip-permissions \\
              'IpProtocol=icmp,FromPort=8,ToPort=0,IpRanges=[{CidrIp=10.0.0.0/16}]'
        """,
        cleans="""
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
            for allowed in 'tcp --port 0-65535' 'udp --port 53'; do
              aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol $allowed \\
                --cidr 10.0.0.0/16
            done
            aws ec2 revoke-security-group-ingress --group-id ${SG} --ip-permissions \\
              'IpProtocol=icmp,FromPort=8,ToPort=0,IpRanges=[{CidrIp=10.0.0.0/16}]'
        """,
    ),
)
