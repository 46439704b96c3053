"""Faults of the VPC's own routes, and of what its filters let through."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault

NOBODY_GETS_IN: Final = tuple(f"ssh-unreachable worker-{n}" for n in range(3))
LAPTOP: Final = "198.51.100.10/32"

LOCAL: Final = (
    Fault(
        name="local route replaced",
        en="The local route was replaced by one to a firewall machine.",
        pt="A rota local foi substituída por uma que leva a uma máquina de firewall.",
        breaks='route replace-route 10.0.0.0/16 "--network-interface-id ${CONTROLLER_0_ENI}"',
        expected=("local-route-altered worker-0",),
    ),
    Fault(
        name="subnet taken out of the local route",
        en="A route for the workers' own subnet, 10.0.1.0/24, leads to a firewall machine.",
        pt="Uma rota para a própria sub-rede dos workers, 10.0.1.0/24, leva a uma máquina de firewall.",
        breaks='route create-route 10.0.1.0/24 "--network-interface-id ${CONTROLLER_0_ENI}"',
        expected=("local-route-altered.narrower worker-0",),
    ),
    Fault(
        name="other subnet taken out of the local route",
        en="In the table of the first subnet, the second one's range leads to worker-0.",
        pt="Na tabela da primeira sub-rede, a faixa da segunda leva ao worker-0.",
        stage="two subnets",
        breaks='route create-route 10.0.2.0/24 "--instance-id ${WORKER_0}"',
        expected=("local-route-altered.narrower worker-0",),
    ),
)

_NAT: Final = """
    export NAT=$(aws ec2 create-nat-gateway --subnet-id ${SUBNET} --connectivity-type private \\
      --query NatGateway.NatGatewayId --output text)
"""

INTERNET: Final = (
    Fault(
        name="no default route",
        en="The default route was deleted.",
        pt="A rota padrão foi apagada.",
        breaks="route delete-route 0.0.0.0/0 ''",
        expected=("internet-route-missing worker-0",),
        errors=NOBODY_GETS_IN,
    ),
    Fault(
        name="no default route in the second table",
        en="The second subnet's table was made without a default route.",
        pt="A tabela da segunda sub-rede foi feita sem rota padrão.",
        stage="two subnets",
        breaks="route delete-route 0.0.0.0/0 '' ${TABLE_2}",
        expected=("internet-route-missing worker-2",),
        errors=("ssh-unreachable worker-2",),
    ),
    Fault(
        name="no default route, gateway detached",
        en="The default route was deleted and the internet gateway detached.",
        pt="A rota padrão foi apagada e o internet gateway desanexado.",
        breaks="""
            route delete-route 0.0.0.0/0 ''
            detach_gateway ${CONTROLLER_0} ${WORKER_0} ${WORKER_1} ${WORKER_2}
        """,
        expected=("internet-route-missing.attach worker-0",),
        errors=NOBODY_GETS_IN,
    ),
    Fault(
        name="default route to a NAT gateway",
        en="The default route leads to a NAT gateway, as in a private subnet.",
        pt="A rota padrão leva a um NAT gateway, como numa sub-rede privada.",
        breaks=f'{_NAT} route replace-route 0.0.0.0/0 "--nat-gateway-id $NAT"',
        expected=("internet-route-wrong-target worker-0",),
        errors=NOBODY_GETS_IN,
        cleans="aws ec2 delete-nat-gateway --nat-gateway-id ${NAT}",
    ),
    Fault(
        name="default route to a worker",
        en="The default route leads to worker-0.",
        pt="A rota padrão leva ao worker-0.",
        breaks='route replace-route 0.0.0.0/0 "--instance-id ${WORKER_0}"',
        expected=("internet-route-wrong-target worker-0",),
        errors=NOBODY_GETS_IN,
    ),
    Fault(
        name="gateway detached",
        en="The internet gateway was detached from the VPC.",
        pt="O internet gateway foi desanexado da VPC.",
        breaks="detach_gateway ${CONTROLLER_0} ${WORKER_0} ${WORKER_1} ${WORKER_2}",
        expected=("internet-route-blackhole.attach-only worker-0",),
        errors=NOBODY_GETS_IN,
    ),
    Fault(
        name="NAT gateway deleted",
        en="The default route of the second subnet leads to a NAT gateway that was deleted.",
        pt="A rota padrão da segunda sub-rede leva a um NAT gateway que foi apagado.",
        stage="two subnets",
        breaks=f"""{_NAT}
            route replace-route 0.0.0.0/0 "--nat-gateway-id $NAT" ${{TABLE_2}}
            aws ec2 delete-nat-gateway --nat-gateway-id $NAT
        """,
        expected=("internet-route-blackhole worker-2",),
        errors=("ssh-unreachable worker-2",),
    ),
    Fault(
        name="private workers whose NAT gateway was deleted",
        en="The workers have no public addresses, and the NAT gateway that they went out by was deleted.",
        pt="Os workers não têm endereços públicos, e o NAT gateway por onde saíam foi apagado.",
        stage="private",
        breaks="""
            gone=$(aws ec2 describe-nat-gateways --query 'NatGateways[0].NatGatewayId' --output text \\
              --filter Name=vpc-id,Values=${VPC} Name=state,Values=available)
            aws ec2 delete-nat-gateway --nat-gateway-id $gone
        """,
        expected=("internet-route-blackhole.new-nat worker-0", "internet-route-blackhole.new-nat worker-2"),
    ),
    Fault(
        name="a private subnet's table without a way out",
        en="The workers have no public addresses, and one of their two tables has no default route.",
        pt="Os workers não têm endereços públicos, e uma das duas tabelas deles não tem rota padrão.",
        stage="private",
        breaks="route delete-route 0.0.0.0/0 '' ${TABLE_3}",
        expected=("internet-route-missing.nat worker-2",),
    ),
)

_CLOSE: Final = """
    aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16 >/dev/null
"""

GROUPS: Final = (
    Fault(
        name="no rule for the nodes",
        en="The security group has a rule for the pods, and none for the nodes.",
        pt="O grupo de segurança tem uma regra para os pods, e nenhuma para os nós.",
        breaks=_CLOSE,
        expected=("security-group-blocks.ingress-nodes worker-0",),
    ),
    Fault(
        name="TCP only",
        en="The rule for the nodes is for TCP only: no ping gets through.",
        pt="A regra para os nós vale só para TCP: nenhum ping passa.",
        breaks=_CLOSE
        + """
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol tcp --port 0-65535 \\
              --cidr 10.0.0.0/16
        """,
        expected=("security-group-blocks.ingress-nodes worker-0",),
        cleans="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol tcp --port 0-65535 \\
              --cidr 10.0.0.0/16
        """,
    ),
    Fault(
        name="ping only",
        en="The rule for the nodes is for ICMP only: ping works and nothing else.",
        pt="A regra para os nós vale só para ICMP: o ping funciona e nada mais.",
        breaks=_CLOSE
        + """
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol icmp --port -1 \\
              --cidr 10.0.0.0/16
        """,
        expected=("security-group-blocks.ingress-nodes worker-0",),
        cleans="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol icmp --port -1 \\
              --cidr 10.0.0.0/16
        """,
    ),
    Fault(
        name="ICMP without ping",
        en="The rules for the nodes are for TCP and for ICMP type 3: errors get through, and no ping.",
        pt="As regras para os nós valem para TCP e para ICMP tipo 3: os erros passam, e nenhum ping.",
        breaks=_CLOSE
        + """
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol tcp --port 0-65535 \\
              --cidr 10.0.0.0/16
            aws ec2 authorize-security-group-ingress --group-id ${SG} --ip-permissions \\
              'IpProtocol=icmp,FromPort=3,ToPort=-1,IpRanges=[{CidrIp=10.0.0.0/16}]'
        """,
        expected=("security-group-blocks.ingress-nodes worker-0",),
        cleans="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol tcp --port 0-65535 \\
              --cidr 10.0.0.0/16
            aws ec2 revoke-security-group-ingress --group-id ${SG} --ip-permissions \\
              'IpProtocol=icmp,FromPort=3,ToPort=-1,IpRanges=[{CidrIp=10.0.0.0/16}]'
        """,
    ),
    Fault(
        name="other group on the interface that the second table leads to",
        en="The second subnet's table leads to another interface of worker-1, whose security group lets in "
        "the first subnet only.",
        pt="A tabela da segunda sub-rede leva a outra interface do worker-1, cujo grupo de segurança só "
        "deixa entrar a primeira sub-rede.",
        stage="two subnets",
        breaks="""
            group_for 10.0.1.0/24
            second $ONLY
            route replace-route 10.200.1.0/24 "--network-interface-id $SECOND" ${TABLE_2}
        """,
        expected=("security-group-blocks.ingress-nodes worker-1",),
        cleans="""
            route replace-route 10.200.1.0/24 "--network-interface-id ${WORKER_1_ENI}" ${TABLE_2}
            drop_second
            aws ec2 delete-security-group --group-id $ONLY
        """,
    ),
    Fault(
        name="one node outside the rule",
        en="The rules name each node by its address, and worker-2 came later.",
        pt="As regras citam cada nó pelo endereço, e o worker-2 chegou depois.",
        breaks=_CLOSE
        + """
            for ip in ${WORKER_0_IP} ${WORKER_1_IP}; do
              aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol all --cidr $ip/32
            done
        """,
        expected=("security-group-blocks.ingress-nodes worker-0",),
        cleans="""
            for ip in ${WORKER_0_IP} ${WORKER_1_IP}; do
              aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr $ip/32
            done
        """,
    ),
    Fault(
        name="another group on one worker",
        en="worker-1 has a security group of its own that lets in SSH only.",
        pt="O worker-1 tem um grupo de segurança próprio que só deixa entrar SSH.",
        breaks=f"""
            export LONE=$(aws ec2 create-security-group --group-name ssh-only-$RANDOM$RANDOM \\
              --description ssh --vpc-id ${{VPC}} --query GroupId --output text)
            aws ec2 authorize-security-group-ingress --group-id $LONE --protocol tcp --port 22 --cidr {LAPTOP}
            aws ec2 modify-instance-attribute --instance-id ${{WORKER_1}} --groups $LONE
        """,
        expected=("security-group-blocks.ingress-nodes worker-1",),
        cleans="""
            aws ec2 modify-instance-attribute --instance-id ${WORKER_1} --groups ${SG}
            aws ec2 delete-security-group --group-id ${LONE}
        """,
    ),
    Fault(
        name="egress to the nodes only",
        en="What the group lets out is only for the nodes' range and not for the pods'.",
        pt="O que o grupo deixa sair vale só para a faixa dos nós e não para a dos pods.",
        breaks="""
            aws ec2 revoke-security-group-egress --group-id ${SG} --protocol all --cidr 0.0.0.0/0
            aws ec2 authorize-security-group-egress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
            aws ec2 authorize-security-group-egress --group-id ${SG} --protocol all --cidr 1.1.1.1/32
        """,
        expected=("security-group-blocks.egress worker-0",),
        cleans="""
            aws ec2 revoke-security-group-egress --group-id ${SG} --protocol all --cidr 10.0.0.0/16
            aws ec2 revoke-security-group-egress --group-id ${SG} --protocol all --cidr 1.1.1.1/32
            aws ec2 revoke-security-group-egress --group-id ${SG} --protocol all --cidr 10.200.0.0/16
            aws ec2 authorize-security-group-egress --group-id ${SG} --protocol all --cidr 0.0.0.0/0
        """,
    ),
    Fault(
        name="no rule for the pods, masquerade off",
        en="Masquerade is off, so pods' own addresses cross the VPC, and no rule is for them.",
        pt="O masquerade está desligado: os endereços dos próprios pods cruzam a VPC, sem regra para eles.",
        stage="bare",
        breaks="aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr ${PODS}",
        expected=("security-group-blocks.ingress-pods worker-0",),
    ),
    Fault(
        name="a rule for the group, masquerade off",
        en="Masquerade is off, and the rule names the security group itself, which means no pod.",
        pt="O masquerade está desligado, e a regra cita o próprio grupo de segurança, que não inclui pods.",
        stage="bare",
        breaks="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr ${PODS}
            aws ec2 authorize-security-group-ingress --group-id ${SG} --protocol all --source-group ${SG}
        """,
        expected=("security-group-blocks.ingress-pods worker-0",),
        cleans="""
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --source-group ${SG}
        """,
    ),
)
