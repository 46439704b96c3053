"""Faults of a lab whose nodes have kernel routes; the nodes are in one subnet, or in two."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault

STAGE: Final = "node routes"
APART: Final = "node routes, two subnets"


def on(worker: int, *commands: str) -> str:
    """What is typed on that worker, in one login."""
    return on_machine(f"worker-{worker}", *commands)


def on_machine(machine: str, *commands: str) -> str:
    """The same of any machine."""
    return f"ssh {machine} sudo sh -e <<'END'\n" + "\n".join(commands) + "\nEND"


def _fault(name: str, en: str, pt: str, breaks: str, *expected: str, **more: str) -> Fault:
    stage = more.pop("stage", STAGE)
    return Fault(name=name, en=en, pt=pt, breaks=breaks, expected=expected, stage=stage, **more)  # type: ignore[arg-type]  # all are text


KERNEL_MISSING: Final = (
    _fault(
        "one kernel route forgotten",
        "The nodes have kernel routes to each other's pods, but worker-0 has none to worker-1's.",
        "Os nós têm rotas de kernel para os pods uns dos outros, mas o worker-0 não tem para os do worker-1.",
        on(0, "ip route del 10.200.1.0/24"),
        "node-route-missing worker-0",
    ),
    _fault(
        "no kernel routes at all",
        "The step that types kernel routes on the nodes was left out.",
        "O passo que digita rotas de kernel nos nós foi esquecido.",
        f"{on(0, 'ip route del 10.200.1.0/24')}\n{on(1, 'ip route del 10.200.0.0/24')}",
        "node-route-missing worker-0",
        "node-route-missing worker-1",
    ),
    _fault(
        "kernel routes gone after a restart",
        "worker-1 was restarted, and nothing there keeps its kernel routes.",
        "O worker-1 foi reiniciado, e nada lá mantém as suas rotas de kernel.",
        "forget worker-1\nrestart worker-1",
        "node-route-missing worker-1",
        cleans="comes_back worker-1 10.200.0.0/24",
    ),
    _fault(
        "kernel routes gone after a restart, on Debian",
        "worker-0 has ifupdown, was restarted, and nothing there keeps its kernel routes.",
        "O worker-0 tem o ifupdown, foi reiniciado, e nada lá mantém as suas rotas de kernel.",
        "forget worker-0\n"
        f"{on(0, 'mkdir -p /run/network', 'echo ens5=ens5 >/run/network/ifstate')}\n"
        "restart worker-0",
        "node-route-missing worker-0",
        cleans="comes_back worker-0 10.200.1.0/24\n" + on(0, "rm -r /run/network"),
    ),
    _fault(
        "kernel route for a mistyped range",
        "The kernel route on worker-0 is for 10.20.1.0/24.",
        "A rota de kernel no worker-0 é para 10.20.1.0/24.",
        on(0, "ip route del 10.200.1.0/24", "ip route add 10.20.1.0/24 via 10.0.1.21"),
        "node-route-missing worker-0",
        cleans=on(0, "ip route del 10.20.1.0/24"),
    ),
    _fault(
        "kernel route to the VPC's router",
        "The kernel route on worker-0 leads to the subnet's gateway.",
        "A rota de kernel no worker-0 leva ao gateway da sub-rede.",
        on(0, "ip route replace 10.200.1.0/24 via 10.0.1.1"),
        "node-route-missing worker-0",
    ),
    _fault(
        "half of the pods to the VPC's router",
        "An older kernel route on worker-0 takes the lower half of worker-1's pods to the subnet's gateway.",
        "Uma rota antiga no worker-0 leva a metade inferior dos pods do worker-1 ao gateway da sub-rede.",
        on(0, "ip route add 10.200.1.0/25 via 10.0.1.1"),
        "node-route-missing worker-0",
    ),
    _fault(
        "the other half of the pods to the VPC's router",
        "An older kernel route on worker-0 takes the upper half of worker-1's pods to the subnet's gateway.",
        "Uma rota antiga no worker-0 leva a metade superior dos pods do worker-1 ao gateway da sub-rede.",
        on(0, "ip route add 10.200.1.128/25 via 10.0.1.1"),
        "node-route-missing worker-0",
    ),
    _fault(
        "no kernel route, and the VPC's leads to a controller",
        "worker-0 has no kernel route to worker-1's pods, and the VPC's route leads to controller-0.",
        "O worker-0 não tem rota de kernel para os pods do worker-1, e a rota da VPC para eles leva ao "
        "controller-0.",
        f"{on(0, 'ip route del 10.200.1.0/24')}\n"
        'route create-route 10.200.1.0/24 "--instance-id ${CONTROLLER_0}"',
        "node-route-missing worker-0",
        cleans="route delete-route 10.200.1.0/24 ''",
    ),
)

NEXT_HOPS: Final = (
    _fault(
        "kernel route through a controller",
        "The kernel route on worker-0 to worker-1's pods leads through controller-0.",
        "A rota de kernel no worker-0 para os pods do worker-1 passa pelo controller-0.",
        on(0, "ip route replace 10.200.1.0/24 via 10.0.1.10"),
        "node-route-wrong-next-hop worker-0",
    ),
    _fault(
        "kernel routes through an address of nobody's",
        "Both nodes' kernel routes lead through addresses that no machine has.",
        "As rotas de kernel dos dois nós passam por endereços que nenhuma máquina tem.",
        f"{on(0, 'ip route replace 10.200.1.0/24 via 10.0.1.121')}\n"
        f"{on(1, 'ip route replace 10.200.0.0/24 via 10.0.1.120')}",
        "node-route-wrong-next-hop.nobody worker-0",
        "node-route-wrong-next-hop.nobody worker-1",
    ),
    _fault(
        "half of the pods through a controller",
        "A second kernel route on worker-0 takes the lower half of worker-1's pods to controller-0.",
        "Uma segunda rota de kernel no worker-0 leva a metade inferior dos pods do worker-1 ao controller-0.",
        on(0, "ip route add 10.200.1.0/25 via 10.0.1.10"),
        "node-route-wrong-next-hop worker-0",
    ),
    _fault(
        "all pods through one machine",
        "One kernel route on worker-0 leads all pods to controller-0.",
        "Uma só rota de kernel no worker-0 leva todos os pods ao controller-0.",
        on(0, "ip route del 10.200.1.0/24", "ip route add 10.200.0.0/16 via 10.0.1.10"),
        "node-route-wrong-next-hop worker-0",
        cleans=on(0, "ip route del 10.200.0.0/16"),
    ),
    _fault(
        "right VPC routes, wrong kernel route",
        "The VPC has the pod routes as well, but worker-1 hands worker-0's pods to nobody's address.",
        "A VPC também tem as rotas dos pods, mas o kernel do worker-1 entrega os do worker-0 a ninguém.",
        """
            route create-route 10.200.0.0/24 "--instance-id ${WORKER_0}"
            route create-route 10.200.1.0/24 "--instance-id ${WORKER_1}"
            ssh worker-1 'sudo ip route replace 10.200.0.0/24 via 10.0.1.120'
        """,
        "node-route-wrong-next-hop.nobody worker-1",
        cleans="for n in 0 1; do route delete-route 10.200.$n.0/24 ''; done",
    ),
    _fault(
        "a kept kernel route of an earlier lab",
        "worker-0 keeps kernel routes of an earlier lab, whose addresses its peers no longer have.",
        "O worker-0 mantém rotas de kernel de um laboratório anterior, com endereços que já não existem.",
        "keep worker-0 '10.200.1.0/24 via 10.0.1.31'\nrestart worker-0",
        "node-route-wrong-next-hop.nobody worker-0",
        cleans="restart worker-0",
    ),
)

OFF_LINK: Final = (
    _fault(
        "no route at all between two subnets",
        "The nodes are in different subnets, and the VPC has no route to worker-1's pods.",
        "Os nós estão em sub-redes diferentes, e a VPC não tem rota para os pods do worker-1.",
        "route delete-route 10.200.1.0/24 ''",
        "node-route-off-link worker-1",
        stage=APART,
    ),
    _fault(
        "kernel routes meant between two subnets",
        "Kernel routes are meant, the nodes are in different subnets, and the VPC has no pod routes.",
        "A ideia são rotas de kernel, os nós estão em sub-redes diferentes, e a VPC não tem rotas de pods.",
        "route delete-route 10.200.1.0/24 ''\nroute delete-route 10.200.0.0/24 '' ${TABLE_2}",
        "node-route-off-link worker-0",
        "node-route-off-link worker-1",
        stage=APART,
    ),
    _fault(
        "the VPC's route between two subnets leads to a controller",
        "Between the nodes' two subnets the VPC's route for worker-1's pods leads to controller-0.",
        "Entre as duas sub-redes dos nós, a rota da VPC para os pods do worker-1 leva ao controller-0.",
        'route replace-route 10.200.1.0/24 "--instance-id ${CONTROLLER_0}"',
        "node-route-off-link worker-1",
        stage=APART,
    ),
    _fault(
        "a kernel route through an address of another subnet",
        "worker-0 was made to take worker-1's address, in another subnet, for one of its own link.",
        "O worker-0 foi levado a tomar o endereço do worker-1, em outra sub-rede, por um do próprio enlace.",
        on(0, "ip route add 10.200.1.0/24 via 10.0.2.21 dev ens5 onlink"),
        "node-route-off-link.typed worker-0",
        stage=APART,
    ),
    _fault(
        "a kernel route for all pods through an address of another subnet",
        "One kernel route on worker-1 leads all pods through worker-0's address, which is in another subnet.",
        "Uma só rota de kernel no worker-1 leva todos os pods pelo endereço do worker-0, em outra sub-rede.",
        on(1, "ip route add 10.200.0.0/16 via 10.0.1.20 dev ens5 onlink"),
        "node-route-off-link.typed worker-1",
        stage=APART,
    ),
)

BESIDE: Final = (
    _fault(
        "a node drops what its kernel route was for",
        "A script made the kernel route of worker-0 to worker-1's pods a blackhole.",
        "Um script fez da rota de kernel do worker-0 para os pods do worker-1 um blackhole.",
        on(0, "ip route replace blackhole 10.200.1.0/24"),
        "node-route-conflict.by-nodes worker-0",
    ),
    _fault(
        "another bridge has a peer's pods",
        "A bridge of Docker's on worker-0 has half of worker-1's pod range.",
        "Uma bridge do Docker no worker-0 tem metade da faixa de pods do worker-1.",
        on(
            0,
            "ip link add docker0 type bridge",
            "ip link set docker0 up",
            "ip route add 10.200.1.0/25 dev docker0",
        ),
        "node-route-conflict.by-nodes worker-0",
        cleans=on(0, "ip link del docker0"),
    ),
    _fault(
        "a node's own pods handed to its peer",
        "The same lines were pasted on both nodes: worker-1 hands its own pods to worker-0.",
        "As mesmas linhas foram coladas nos dois nós: o worker-1 entrega os próprios pods ao worker-0.",
        on(1, "ip route replace 10.200.1.0/24 via 10.0.1.20"),
        "node-route-conflict.own worker-1",
    ),
    _fault(
        "kernel routes, and the check on at one node",
        "The nodes have their kernel routes, but the source/dest check of worker-1 is on.",
        "Os nós têm as suas rotas de kernel, mas a verificação de origem/destino do worker-1 está ligada.",
        "aws ec2 modify-instance-attribute --instance-id ${WORKER_1} --source-dest-check",
        "source-dest-check-on worker-1",
    ),
    _fault(
        "kernel routes, and the check never switched off",
        "The nodes have their kernel routes, and nobody switched the source/dest check off.",
        "Os nós têm as suas rotas de kernel, e ninguém desligou a verificação de origem/destino.",
        """
            for id in ${WORKER_0} ${WORKER_1}; do
              aws ec2 modify-instance-attribute --instance-id $id --source-dest-check
            done
        """,
        "source-dest-check-on worker-0",
        "source-dest-check-on worker-1",
    ),
    _fault(
        "a kernel route to a second interface, whose check is on",
        "worker-0 hands worker-1's pods to a second interface of it, whose source/dest check is on.",
        "O worker-0 entrega os pods do worker-1 a uma segunda interface dele, com a verificação ligada.",
        """
            second ${SG}
            aws ec2 modify-network-interface-attribute --network-interface-id $SECOND --source-dest-check
            address=$(aws ec2 describe-network-interfaces --network-interface-ids $SECOND --output text \\
              --query 'NetworkInterfaces[0].PrivateIpAddress')
            ssh worker-0 sudo ip route replace 10.200.1.0/24 via $address
        """,
        "source-dest-check-on worker-1",
        cleans="drop_second\nssh worker-0 sudo ip route replace 10.200.1.0/24 via 10.0.1.21",
    ),
    _fault(
        "kernel routes, and no rule for the nodes",
        "The nodes have their kernel routes, but no rule lets in what comes from the nodes' addresses.",
        "Os nós têm as suas rotas de kernel, mas nenhuma regra deixa entrar o que vem dos endereços dos nós.",
        "aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16",
        "security-group-blocks.ingress-nodes worker-0",
    ),
    _fault(
        "kernel routes without masquerade, and no rule for the pods",
        "Masquerade is off on both nodes, and no rule lets the pods' own addresses in.",
        "O masquerade está desligado nos dois nós, e nenhuma regra deixa entrar os endereços dos pods.",
        """
            masquerade off
            aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr ${PODS}
        """,
        "security-group-blocks.ingress-pods worker-0",
        cleans="masquerade on",
    ),
    _fault(
        "no kernel route back, without masquerade",
        "Masquerade is off on both nodes, and worker-1 has no kernel route for the answers.",
        "O masquerade está desligado nos dois nós, e o worker-1 não tem rota de kernel para as respostas.",
        f"masquerade off\n{on(1, 'ip route del 10.200.0.0/24')}",
        "node-route-missing worker-1",
        cleans="masquerade on",
    ),
    _fault(
        "kernel routes, and forwarding off",
        "The nodes have their kernel routes, but worker-1 does not forward.",
        "Os nós têm as suas rotas de kernel, mas o worker-1 não encaminha.",
        on(1, "sysctl -qw net.ipv4.ip_forward=0"),
        "forwarding-off worker-1",
    ),
)
