"""Faults of the network ACLs, which are asked between subnets only, and in both directions.

Of three workers, worker-2 is in a subnet of its own, with an ACL of its own.
"""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault


def _fault(name: str, en: str, pt: str, breaks: str, stage: str = "two subnets") -> Fault:
    return Fault(
        name=name,
        en=en,
        pt=pt,
        stage=stage,
        breaks=breaks,
        expected=("network-acl-blocks worker-2",),
        cleans="open_acl",
    )


ACLS: Final = (
    _fault(
        "ACL denies what goes to the pods",
        "An entry of the network ACL denies what goes out to the pods.",
        "Uma entrada da ACL de rede nega o que sai para os pods.",
        "acl egress 50 deny 10.200.0.0/16",
    ),
    _fault(
        "ACL denies what comes from the pods",
        "An entry of the network ACL denies what comes in from the pods: the others' answers.",
        "Uma entrada da ACL de rede nega o que entra vindo dos pods: as respostas dos outros.",
        "acl ingress 50 deny 10.200.0.0/16",
    ),
    _fault(
        "ACL denies the other nodes",
        "An entry of the network ACL denies what comes in from the first subnet.",
        "Uma entrada da ACL de rede nega o que entra vindo da primeira sub-rede.",
        "acl ingress 50 deny 10.0.1.0/24",
    ),
    _fault(
        "ACL without the answers' ports",
        "The network ACL lets requests in and forgets that answers go out to high ports.",
        "A ACL de rede deixa os pedidos entrarem e esquece que as respostas saem para portas altas.",
        "acl egress 50 deny 10.0.1.0/24 6 --port-range From=1024,To=65535",
    ),
    _fault(
        "ACL denies ping",
        "The network ACL denies ICMP only: ping is dead and everything else works.",
        "A ACL de rede nega só ICMP: o ping não passa e todo o resto funciona.",
        "acl ingress 50 deny 10.0.0.0/8 1 --icmp-type-code Type=-1,Code=-1",
    ),
    _fault(
        "ACL lets pings in and no answers out",
        "The network ACL lets pings in, and forgets that their answers, ICMP type 0, go out.",
        "A ACL de rede deixa os pings entrarem e esquece que as respostas, ICMP tipo 0, saem.",
        "acl egress 50 deny 10.0.1.0/24 1 --icmp-type-code Type=0,Code=-1",
    ),
    _fault(
        "ACL denies the pods, masquerade off",
        "Masquerade is off, and the network ACL denies what comes from the pods' range.",
        "O masquerade está desligado, e a ACL de rede nega o que vem da faixa dos pods.",
        "acl ingress 50 deny 10.200.0.0/16",
        "two subnets, bare",
    ),
    Fault(
        name="ACL that knows the laptop only",
        en="The network ACL was written for the laptop and the internet; nobody thought of the other subnet.",
        pt="A ACL de rede foi escrita para o laptop e a internet; ninguém pensou na outra sub-rede.",
        stage="two subnets",
        breaks="""
            for way in ingress egress; do
              acl $way 80 allow 198.51.100.10/32
              acl $way 81 allow 1.1.1.1/32
              aws ec2 delete-network-acl-entry --network-acl-id ${ACL_2} --$way --rule-number 100
            done
        """,
        expected=("network-acl-blocks worker-2",),
        cleans="""
            for way in ingress egress; do acl $way 100 allow 0.0.0.0/0; done
            open_acl
        """,
    ),
)
