"""Labs whose nodes hand packets to each other by kernel routes, and that are right."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Healthy
from sandbox.faults.faults_of_node_routes import APART, STAGE, on

_BOTH: Final = "\n".join(
    f'route create-route 10.200.{n}.0/24 "--instance-id ${{WORKER_{n}}}"' for n in range(2)
)
_NOT_BOTH: Final = "for n in 0 1; do route delete-route 10.200.$n.0/24 ''; done"
_TYPED: Final = "\n".join(
    (
        on(0, "ip route replace 10.200.1.0/24 via 10.0.1.21"),
        on(1, "ip route replace 10.200.0.0/24 via 10.0.1.20"),
    )
)
_UNTYPED: Final = "\n".join((on(0, "ip route del 10.200.1.0/24"), on(1, "ip route del 10.200.0.0/24")))

BY_NODES: Final = (
    Healthy(
        name="kernel routes",
        en="Two nodes have kernel routes to each other's pods, and the VPC has none.",
        pt="Dois nós têm rotas de kernel para os pods um do outro, e a VPC não tem nenhuma.",
        stage=STAGE,
    ),
    Healthy(
        name="kernel routes, and routes of the VPC as well",
        en="Both the nodes and the VPC have routes to all pods.",
        pt="Tanto os nós como a VPC têm rotas para todos os pods.",
        stage=STAGE,
        does=_BOTH,
        cleans=_NOT_BOTH,
    ),
    Healthy(
        name="kernel routes meant, and only the VPC's there",
        en="Kernel routes are meant, the nodes have none, and the VPC carries everything.",
        pt="A ideia são rotas de kernel, os nós não têm nenhuma, e a VPC carrega tudo.",
        stage=STAGE,
        does=f"{_BOTH}\n{_UNTYPED}",
        cleans=f"{_TYPED}\n{_NOT_BOTH}",
    ),
    Healthy(
        name="a kernel route one way, the VPC's the other",
        en="worker-0 has its kernel route; worker-1 has none, and the VPC's route carries its packets.",
        pt="O worker-0 tem a sua rota de kernel; o worker-1 não tem, e a rota da VPC leva os pacotes dele.",
        stage=STAGE,
        does='route create-route 10.200.0.0/24 "--instance-id ${WORKER_0}"\n'
        f"{on(1, 'ip route del 10.200.0.0/24')}",
        cleans=f"{_TYPED}\nroute delete-route 10.200.0.0/24 ''",
    ),
    Healthy(
        name="kernel routes without masquerade",
        en="The nodes have kernel routes, and masquerade is off.",
        pt="Os nós têm rotas de kernel, e o masquerade está desligado.",
        stage=STAGE,
        does="masquerade off",
        cleans="masquerade on",
    ),
    Healthy(
        name="one kernel route for all pods",
        en="The kernel route on worker-0 is for 10.200.0.0/16, through its only peer.",
        pt="A rota de kernel no worker-0 é para 10.200.0.0/16, pelo seu único par.",
        stage=STAGE,
        does=on(0, "ip route add 10.200.0.0/16 via 10.0.1.21", "ip route del 10.200.1.0/24"),
        cleans=f"{on(0, 'ip route del 10.200.0.0/16')}\n{_TYPED}",
    ),
    Healthy(
        name="kernel routes for two halves",
        en="Two kernel routes of /25 on worker-0 lead through worker-1, instead of one of /24.",
        pt="Duas rotas de kernel de /25 no worker-0 passam pelo worker-1, em vez de uma de /24.",
        stage=STAGE,
        does=on(
            0,
            "ip route del 10.200.1.0/24",
            "ip route add 10.200.1.0/25 via 10.0.1.21",
            "ip route add 10.200.1.128/25 via 10.0.1.21",
        ),
        cleans=f"{on(0, 'ip route del 10.200.1.0/25', 'ip route del 10.200.1.128/25')}\n{_TYPED}",
    ),
    Healthy(
        name="a worse kernel route beside the right one",
        en="worker-0 has a second kernel route to worker-1's pods, of a metric that is never taken.",
        pt="O worker-0 tem uma segunda rota de kernel para os pods do worker-1, de métrica nunca usada.",
        stage=STAGE,
        does=on(0, "ip route add 10.200.1.0/24 via 10.0.1.10 metric 500"),
        cleans=on(0, "ip route del 10.200.1.0/24 via 10.0.1.10"),
    ),
    Healthy(
        name="kernel routes in a table of their own",
        en="On worker-0 a rule asks a table of its own for the pods, which leads through worker-1.",
        pt="No worker-0 uma regra pergunta a uma tabela própria pelos pods, que passa pelo worker-1.",
        stage=STAGE,
        does=on(
            0,
            "ip route add 10.200.1.0/24 via 10.0.1.21 table 100",
            "ip rule add pref 100 to 10.200.1.0/24 lookup 100",
        ),
        cleans=on(0, "ip rule del pref 100", "ip route flush table 100"),
    ),
    Healthy(
        name="a kernel route to a second interface",
        en="worker-0 hands worker-1's pods to a second interface of it, whose source/dest check is off.",
        pt="O worker-0 entrega os pods do worker-1 a outra interface dele, com a verificação desligada.",
        stage=STAGE,
        does="""
            second ${SG}
            address=$(aws ec2 describe-network-interfaces --network-interface-ids $SECOND --output text \\
              --query 'NetworkInterfaces[0].PrivateIpAddress')
            ssh worker-0 sudo ip route replace 10.200.1.0/24 via $address
        """,
        cleans=f"drop_second\n{_TYPED}",
    ),
    Healthy(
        name="kernel routes kept over a restart",
        en="worker-1 was restarted, and a unit of its own has brought its kernel route back.",
        pt="O worker-1 foi reiniciado, e uma unit própria trouxe de volta a sua rota de kernel.",
        stage=STAGE,
        does="keep worker-1 '10.200.0.0/24 via 10.0.1.20'\nrestart worker-1",
        cleans="forget worker-1",
    ),
    Healthy(
        name="kernel routes that nobody asked for",
        en="Two nodes have kernel routes, and the network model was left to be found out.",
        pt="Dois nós têm rotas de kernel, e o modelo de rede ficou por descobrir.",
        stage="node routes, by themselves",
    ),
    Healthy(
        name="kernel routes meant, two subnets",
        en="Kernel routes are meant, and between two subnets the VPC carries what none of them can.",
        pt="A ideia são rotas de kernel, e entre duas sub-redes a VPC leva o que nenhuma delas pode.",
        stage=APART,
    ),
)
