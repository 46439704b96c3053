"""Faults of machines that are no workers and must reach pods as well (``--also``), by kernel routes.

What is typed ends in a connection to an address of a worker's pods: lost, then mended.
"""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault
from sandbox.faults.faults_of_node_routes import on_machine

EVERYWHERE: Final = "node routes, everywhere"


def _through(machine: str, *workers: int) -> str:
    return "\n".join(f"reaches {machine} {worker}" for worker in workers)


def _lost(machine: str, *workers: int) -> str:
    return "\n".join(f"lost {machine} {worker}" for worker in workers)


def _fault(name: str, en: str, pt: str, breaks: str, expected: str, cleans: str) -> Fault:
    return Fault(
        name=name, en=en, pt=pt, breaks=breaks, expected=(expected,), stage=EVERYWHERE, cleans=cleans
    )


OTHER_MACHINES: Final = (
    _fault(
        "a controller without kernel routes",
        "The nodes have their kernel routes; on the controller, which is to reach pods too, are none.",
        "Os nós têm as suas rotas de kernel; no controller, que também deve alcançar pods, ninguém digitou.",
        f"{on_machine('controller-0', 'ip route del 10.200.0.0/24', 'ip route del 10.200.1.0/24')}\n"
        f"{_lost('controller-0', 0, 1)}",
        "node-route-missing controller-0",
        _through("controller-0", 0, 1),
    ),
    _fault(
        "a jump host that forgot one worker",
        "The jump host is to reach pods too, and has no kernel route to worker-1's.",
        "A máquina de salto também deve alcançar pods, e não tem rota de kernel para os do worker-1.",
        f"{on_machine('jumpbox', 'ip route del 10.200.1.0/24')}\n{_lost('jumpbox', 1)}",
        "node-route-missing jumpbox",
        _through("jumpbox", 0, 1),
    ),
    _fault(
        "a jump host that hands pods to the controller",
        "The kernel route of the jump host to worker-1's pods leads through controller-0.",
        "A rota de kernel da máquina de salto para os pods do worker-1 passa pelo controller-0.",
        on_machine("jumpbox", "ip route replace 10.200.1.0/24 via 10.0.1.10"),
        "node-route-wrong-next-hop jumpbox",
        _through("jumpbox", 0, 1),
    ),
    _fault(
        "a controller whose Docker has the pods' range",
        "Docker on controller-0 was given the pods' whole range, and nobody typed kernel routes there.",
        "O Docker do controller-0 recebeu a faixa inteira dos pods, e ninguém digitou rotas de kernel lá.",
        on_machine(
            "controller-0",
            "ip route del 10.200.0.0/24",
            "ip route del 10.200.1.0/24",
            "ip link add docker0 type bridge",
            "ip link set docker0 up",
            "ip address add 10.200.255.1/16 dev docker0",
        )
        + f"\n{_lost('controller-0', 0, 1)}",
        "node-route-conflict.by-nodes controller-0",
        f"{_through('controller-0', 0, 1)}\n{on_machine('controller-0', 'ip link del docker0')}",
    ),
    _fault(
        "a controller that drops what is for a worker's pods",
        "A script on controller-0 made its kernel route to worker-1's pods a blackhole.",
        "Um script no controller-0 fez da rota de kernel para os pods do worker-1 um blackhole.",
        f"{on_machine('controller-0', 'ip route replace blackhole 10.200.1.0/24')}\n"
        f"{_lost('controller-0', 1)}",
        "node-route-conflict.by-nodes controller-0",
        _through("controller-0", 0, 1),
    ),
)
