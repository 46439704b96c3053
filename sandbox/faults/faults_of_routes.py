"""Faults of the pod routes: missing, elsewhere, to the wrong machine, dead, diverted, left over."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault

ALL_MISSING: Final = tuple(f"route-missing worker-{n}" for n in range(3))

MISSING: Final = (
    Fault(
        name="chapter not done",
        en="The chapter was not done: there is no pod route at all.",
        pt="O capítulo não foi feito: não há nenhuma rota de pods.",
        breaks="for n in 0 1 2; do route delete-route 10.200.$n.0/24 ''; done",
        expected=ALL_MISSING,
    ),
    Fault(
        name="one route forgotten",
        en="The route to worker-1 was never created.",
        pt="A rota para o worker-1 nunca foi criada.",
        breaks="route delete-route 10.200.1.0/24 ''",
        expected=("route-missing worker-1",),
    ),
    Fault(
        name="only the first worker has a route",
        en="A copied line: worker-1 and worker-2 never got a route.",
        pt="Uma linha copiada: o worker-1 e o worker-2 nunca receberam uma rota.",
        breaks="for n in 1 2; do route delete-route 10.200.$n.0/24 ''; done",
        expected=("route-missing worker-1", "route-missing worker-2"),
    ),
    Fault(
        name="route for a mistyped range",
        en="The route was created for 10.20.1.0/24 and not for 10.200.1.0/24.",
        pt="A rota foi criada para 10.20.1.0/24 e não para 10.200.1.0/24.",
        breaks="""
            route delete-route 10.200.1.0/24 ''
            route create-route 10.20.1.0/24 "--instance-id ${WORKER_1}"
        """,
        expected=("route-missing worker-1",),
        cleans="route delete-route 10.20.1.0/24 ''",
    ),
    Fault(
        name="half a route",
        en="The route was created for 10.200.1.128/25: the half without the first pods.",
        pt="A rota foi criada para 10.200.1.128/25: a metade sem os primeiros pods.",
        breaks="""
            route delete-route 10.200.1.0/24 ''
            route create-route 10.200.1.128/25 "--instance-id ${WORKER_1}"
        """,
        expected=("route-missing worker-1",),
        cleans="route delete-route 10.200.1.128/25 ''",
    ),
    Fault(
        name="one wide route to the first worker",
        en="One route for 10.200.0.0/16, to worker-0, was to do for all.",
        pt="Uma única rota para 10.200.0.0/16, até o worker-0, deveria bastar para todos.",
        breaks="""
            for n in 0 1 2; do route delete-route 10.200.$n.0/24 ''; done
            route create-route 10.200.0.0/16 "--instance-id ${WORKER_0}"
        """,
        expected=("route-missing worker-1", "route-missing worker-2"),
        cleans="""
            route delete-route 10.200.0.0/16 ''
            route create-route 10.200.0.0/24 "--instance-id ${WORKER_0}"
        """,
    ),
    Fault(
        name="route only in the other subnet's table",
        en="Of the two tables, only that of the other subnet has the route to worker-1.",
        pt="Das duas tabelas, só a da outra sub-rede tem a rota para o worker-1.",
        stage="two subnets",
        breaks="route delete-route 10.200.1.0/24 '' ${TABLE_2}",
        expected=("route-in-unused-table worker-1",),
    ),
    Fault(
        name="route missing in both tables",
        en="Neither of the two tables has the route to worker-1.",
        pt="Nenhuma das duas tabelas tem a rota para o worker-1.",
        stage="two subnets",
        breaks="""
            route delete-route 10.200.1.0/24 '' ${TABLE}
            route delete-route 10.200.1.0/24 '' ${TABLE_2}
        """,
        expected=("route-missing worker-1",),
    ),
    Fault(
        name="routes in a table nobody uses",
        en="The routes went into a new table that no subnet is associated with.",
        pt="As rotas foram para uma tabela nova que não está associada a nenhuma sub-rede.",
        breaks="""
            export UNUSED=$(aws ec2 create-route-table --vpc-id ${VPC} \\
              --query RouteTable.RouteTableId --output text)
            for n in 0 1 2; do
              id=WORKER_$n
              route delete-route 10.200.$n.0/24 ''
              route create-route 10.200.$n.0/24 "--instance-id ${!id}" $UNUSED
            done
        """,
        expected=tuple(f"route-in-unused-table worker-{n}" for n in range(3)),
        cleans="aws ec2 delete-route-table --route-table-id ${UNUSED}",
    ),
    Fault(
        name="one route in the main table",
        en="The route to worker-2 went into the main table, which does not rule the subnet.",
        pt="A rota para o worker-2 foi para a tabela principal, que não governa a sub-rede.",
        breaks="""
            route delete-route 10.200.2.0/24 ''
            route create-route 10.200.2.0/24 "--instance-id ${WORKER_2}" ${MAIN}
        """,
        expected=("route-in-unused-table worker-2",),
        cleans="route delete-route 10.200.2.0/24 '' ${MAIN}",
    ),
    Fault(
        name="table never associated",
        en="The route table was never associated with the subnet; the main table has internet.",
        pt="A tabela de rotas nunca foi associada à sub-rede; a tabela principal tem internet.",
        breaks="""
            route create-route 0.0.0.0/0 "--gateway-id ${IGW}" ${MAIN}
            aws ec2 disassociate-route-table --association-id $(aws ec2 describe-route-tables \\
              --route-table-ids ${TABLE} --query 'RouteTables[0].Associations[0].RouteTableAssociationId' \\
              --output text)
        """,
        expected=("subnet-not-associated worker-0",),
        cleans="route delete-route 0.0.0.0/0 '' ${MAIN}",
    ),
    Fault(
        name="table never associated, and no internet",
        en="The route table was never associated with the subnet, which has no way out either now.",
        pt="A tabela de rotas nunca foi associada à sub-rede, que agora também não tem saída.",
        breaks="""
            aws ec2 disassociate-route-table --association-id $(aws ec2 describe-route-tables \\
              --route-table-ids ${TABLE} --query 'RouteTables[0].Associations[0].RouteTableAssociationId' \\
              --output text)
        """,
        expected=("subnet-not-associated worker-0",),
        errors=tuple(f"ssh-unreachable worker-{n}" for n in range(3)),
    ),
    Fault(
        name="second subnet never associated",
        en="The second subnet was left on the main table; only the first one's table has the pod routes.",
        pt="A segunda sub-rede ficou na tabela principal; só a tabela da primeira tem as rotas de pods.",
        stage="two subnets, one table",
        breaks="""
            route create-route 0.0.0.0/0 "--gateway-id ${IGW}" ${MAIN}
            aws ec2 disassociate-route-table --association-id $(aws ec2 describe-route-tables \\
              --route-table-ids ${TABLE} --output text --query \\
              "RouteTables[0].Associations[?SubnetId=='${SUBNET_2}'].RouteTableAssociationId")
        """,
        expected=("subnet-not-associated worker-2",),
        cleans="route delete-route 0.0.0.0/0 '' ${MAIN}",
    ),
)

WRONG: Final = (
    Fault(
        name="two workers swapped",
        en="The routes of worker-0 and worker-1 were swapped.",
        pt="As rotas do worker-0 e do worker-1 foram trocadas.",
        breaks="""
            route replace-route 10.200.0.0/24 "--instance-id ${WORKER_1}"
            route replace-route 10.200.1.0/24 "--instance-id ${WORKER_0}"
        """,
        expected=("route-wrong-target worker-0", "route-wrong-target worker-1"),
    ),
    Fault(
        name="route to a controller",
        en="The route for worker-1's pods leads to controller-0.",
        pt="A rota para os pods do worker-1 leva ao controller-0.",
        breaks='route replace-route 10.200.1.0/24 "--instance-id ${CONTROLLER_0}"',
        expected=("route-wrong-target worker-1",),
    ),
    Fault(
        name="route to a controller's interface",
        en="The route for worker-1's pods leads to a network interface, and it is controller-0's.",
        pt="A rota para os pods do worker-1 leva a uma interface de rede, e ela é do controller-0.",
        breaks='route replace-route 10.200.1.0/24 "--network-interface-id ${CONTROLLER_0_ENI}"',
        expected=("route-wrong-target worker-1",),
    ),
    Fault(
        name="route to a NAT gateway",
        en="The route for worker-1's pods leads to a NAT gateway.",
        pt="A rota para os pods do worker-1 leva a um NAT gateway.",
        breaks="""
            export NAT=$(aws ec2 create-nat-gateway --subnet-id ${SUBNET} --connectivity-type private \\
              --query NatGateway.NatGatewayId --output text)
            route replace-route 10.200.1.0/24 "--nat-gateway-id $NAT"
        """,
        expected=("route-wrong-target worker-1",),
        cleans="aws ec2 delete-nat-gateway --nat-gateway-id ${NAT}",
    ),
    Fault(
        name="route to the internet gateway",
        en="The route for worker-1's pods leads to the internet gateway.",
        pt="A rota para os pods do worker-1 leva ao internet gateway.",
        breaks='route replace-route 10.200.1.0/24 "--gateway-id ${IGW}"',
        expected=("route-wrong-target worker-1",),
    ),
    Fault(
        name="all routes to the first worker",
        en="A loop that never advanced its variable: every route leads to worker-0.",
        pt="Um laço que nunca avançou a variável: todas as rotas levam ao worker-0.",
        breaks="""
            for n in 1 2; do route replace-route 10.200.$n.0/24 "--instance-id ${WORKER_0}"; done
        """,
        expected=("route-wrong-target worker-1", "route-wrong-target worker-2"),
    ),
    Fault(
        name="node replaced",
        en="worker-1 was replaced by a new machine, and the route still names the old one.",
        pt="O worker-1 foi substituído por uma máquina nova, e a rota ainda aponta para o antigo.",
        breaks="""
            aws ec2 terminate-instances --instance-ids ${WORKER_1} >/dev/null
            launch worker-1 ${WORKER_1_IP} 'name=worker-1|pod-cidr=10.200.1.0/24'
        """,
        expected=("route-blackhole worker-1",),
    ),
    Fault(
        name="interface deleted",
        en="The route leads to a network interface that was deleted.",
        pt="A rota leva a uma interface de rede que foi apagada.",
        breaks="""
            eni=$(aws ec2 create-network-interface --subnet-id ${SUBNET} --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            route replace-route 10.200.1.0/24 "--network-interface-id $eni"
            aws ec2 delete-network-interface --network-interface-id $eni
        """,
        expected=("route-blackhole worker-1",),
    ),
    Fault(
        name="interface attached to nothing",
        en="The route leads to a network interface that was never attached.",
        pt="A rota leva a uma interface de rede que nunca foi anexada.",
        breaks="""
            export LOOSE=$(aws ec2 create-network-interface --subnet-id ${SUBNET} --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            route replace-route 10.200.1.0/24 "--network-interface-id $LOOSE"
        """,
        expected=("route-blackhole worker-1",),
        cleans="aws ec2 delete-network-interface --network-interface-id ${LOOSE}",
    ),
    Fault(
        name="half of the range diverted",
        en="An old route for 10.200.1.0/25 sends the first half of worker-1's pods to worker-0.",
        pt="Uma rota antiga para 10.200.1.0/25 manda a primeira metade dos pods do worker-1 para o worker-0.",
        breaks='route create-route 10.200.1.0/25 "--instance-id ${WORKER_0}"',
        expected=("route-shadowed worker-1",),
    ),
    Fault(
        name="the half nobody uses yet diverted",
        en="An old route takes 10.200.1.128/25, where no pod is yet: everything still works.",
        pt="Uma rota antiga toma 10.200.1.128/25, onde ainda não há pods: tudo ainda funciona.",
        breaks='route create-route 10.200.1.128/25 "--instance-id ${WORKER_0}"',
        expected=("route-shadowed worker-1",),
    ),
    Fault(
        name="half of the range diverted, and no route for the whole",
        en="A route for 10.200.1.0/25 leads to worker-0, and worker-1 has no route of its own.",
        pt="Uma rota para 10.200.1.0/25 leva ao worker-0, e o worker-1 não tem rota própria.",
        breaks="""
            route delete-route 10.200.1.0/24 ''
            route create-route 10.200.1.0/25 "--instance-id ${WORKER_0}"
        """,
        expected=("route-missing worker-1", "route-shadowed.alone worker-1"),
    ),
    Fault(
        name="part of the range in a blackhole",
        en="A route for 10.200.1.0/28 leads to an interface that was deleted.",
        pt="Uma rota para 10.200.1.0/28 leva a uma interface que foi apagada.",
        breaks="""
            eni=$(aws ec2 create-network-interface --subnet-id ${SUBNET} --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            route create-route 10.200.1.0/28 "--network-interface-id $eni"
            aws ec2 delete-network-interface --network-interface-id $eni
        """,
        expected=("route-shadowed worker-1",),
    ),
    Fault(
        name="leftover to a controller",
        en="A route of an earlier attempt, 10.200.9.0/24, leads to controller-0.",
        pt="Uma rota de uma tentativa anterior, 10.200.9.0/24, leva ao controller-0.",
        breaks='route create-route 10.200.9.0/24 "--instance-id ${CONTROLLER_0}"',
        expected=("route-stale worker-0",),
    ),
    Fault(
        name="a fourth worker that nobody asked about",
        en="There is a worker-3, with its route; the suite was asked about worker-0 to worker-2.",
        pt="Há um worker-3, com a sua rota; a suíte foi chamada para os workers worker-0 a worker-2.",
        breaks="""
            id=$(launch worker-3 10.0.1.23 'name=worker-3|pod-cidr=10.200.3.0/24')
            route create-route 10.200.3.0/24 "--instance-id $id"
            export WORKER_3=$id
        """,
        expected=("route-stale.sibling worker-0",),
        restores="""
            aws ec2 terminate-instances --instance-ids ${WORKER_3}
            route delete-route 10.200.3.0/24 ''
        """,
    ),
    Fault(
        name="leftover of a fourth worker",
        en="worker-3 was terminated when it was no longer needed; its route stayed.",
        pt="O worker-3 foi encerrado quando deixou de ser necessário; a sua rota ficou.",
        breaks="""
            id=$(launch worker-3 10.0.1.23 'name=worker-3|pod-cidr=10.200.3.0/24')
            route create-route 10.200.3.0/24 "--instance-id $id"
            aws ec2 terminate-instances --instance-ids $id
        """,
        expected=("route-stale.gone worker-0",),
    ),
)
