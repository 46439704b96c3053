"""Faults of managed prefix lists, in routes and in security groups."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault

OPEN: Final = """
    aws ec2 revoke-security-group-ingress --group-id ${SG} --protocol all --cidr 10.0.0.0/16 >/dev/null
    aws ec2 authorize-security-group-ingress --group-id ${SG} >/dev/null --ip-permissions \\
      "IpProtocol=-1,PrefixListIds=[{PrefixListId=$LIST}]"
"""
"""The rule for the nodes names the list instead of their range."""
SHUT: Final = """
    aws ec2 revoke-security-group-ingress --group-id ${SG} >/dev/null --ip-permissions \\
      "IpProtocol=-1,PrefixListIds=[{PrefixListId=$LIST}]"
    aws ec2 delete-managed-prefix-list --prefix-list-id $LIST
"""
UNROUTE: Final = """
    by_list delete-route ''
    aws ec2 delete-managed-prefix-list --prefix-list-id $LIST
"""

LISTS: Final = (
    Fault(
        name="prefix list without the pods",
        en="A prefix list leads to worker-1 instead of a route, and has 10.20.1.0/24 for 10.200.1.0/24.",
        pt="Uma lista de prefixos leva ao worker-1 em vez de uma rota, e tem 10.20.1.0/24 no lugar de "
        "10.200.1.0/24.",
        breaks="""
            listing 10.20.1.0/24
            by_list create-route "--instance-id ${WORKER_1}"
            route delete-route 10.200.1.0/24 ''
        """,
        expected=("route-missing worker-1",),
        cleans=UNROUTE,
    ),
    Fault(
        name="prefix list to another worker",
        en="A prefix list with the pods of worker-1 leads to worker-0.",
        pt="Uma lista de prefixos com os pods do worker-1 leva ao worker-0.",
        breaks="""
            listing 10.200.1.0/24
            by_list create-route "--instance-id ${WORKER_0}"
            route delete-route 10.200.1.0/24 ''
        """,
        expected=("route-wrong-target.listed worker-1",),
        cleans=UNROUTE,
    ),
    Fault(
        name="part of the range diverted by a prefix list",
        en="A prefix list with 10.200.1.0/25 leads to worker-0, and the first pods are in there.",
        pt="Uma lista de prefixos com 10.200.1.0/25 leva ao worker-0, e os primeiros pods estão ali.",
        breaks="""
            listing 10.200.1.0/25 192.0.2.0/24
            by_list create-route "--instance-id ${WORKER_0}"
        """,
        expected=("route-shadowed.listed worker-1",),
        cleans=UNROUTE + "route delete-route 10.200.1.0/25 ''",
    ),
    Fault(
        name="part diverted by a prefix list, and no route",
        en="A prefix list with 10.200.1.0/25 leads to worker-0, and worker-1 has no route.",
        pt="Uma lista de prefixos com 10.200.1.0/25 leva ao worker-0, e o worker-1 não tem rota.",
        breaks="""
            listing 10.200.1.0/25
            by_list create-route "--instance-id ${WORKER_0}"
            route delete-route 10.200.1.0/24 ''
        """,
        expected=("route-missing worker-1", "route-shadowed.listed-alone worker-1"),
        cleans=UNROUTE + "route delete-route 10.200.1.0/25 ''",
    ),
    Fault(
        name="prefix list to an interface that is gone",
        en="A prefix list with the pods of worker-1 leads to an interface that was deleted.",
        pt="Uma lista de prefixos com os pods do worker-1 leva a uma interface que foi apagada.",
        breaks="""
            listing 10.200.1.0/24
            eni=$(aws ec2 create-network-interface --subnet-id ${SUBNET} --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            by_list create-route "--network-interface-id $eni"
            aws ec2 delete-network-interface --network-interface-id $eni
            route delete-route 10.200.1.0/24 ''
        """,
        expected=("route-blackhole worker-1",),
        cleans=UNROUTE,
    ),
    Fault(
        name="security group's prefix list without one node",
        en="The security group lets in a prefix list of the nodes, and worker-2 came later.",
        pt="O grupo de segurança deixa entrar uma lista de prefixos com os nós, e o worker-2 chegou depois.",
        breaks="listing ${WORKER_0_IP}/32 ${WORKER_1_IP}/32" + OPEN,
        expected=("security-group-blocks.ingress-nodes worker-0",),
        cleans=SHUT,
    ),
)
