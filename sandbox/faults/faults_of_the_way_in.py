"""What shuts the way in to workers, so that nobody can look at their nodes."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault
from sandbox.faults.faults_of_the_vpc import LAPTOP, NOBODY_GETS_IN

_INSIDE: Final = "--group-id ${SG} --protocol tcp --port 22 --cidr 10.0.0.0/8"
_SHUT: Final = (
    f"aws ec2 revoke-security-group-ingress --group-id ${{SG}} --protocol tcp --port 22 --cidr {LAPTOP}"
)
_AS_BEFORE: Final = f"""
    aws ec2 revoke-security-group-ingress --group-id ${{SG}} --protocol tcp --port 22 --cidr 0.0.0.0/0
    aws ec2 authorize-security-group-ingress --group-id ${{SG}} --protocol tcp --port 22 --cidr {LAPTOP}
"""
_SET_UP: Final = """
    address=$(aws ec2 allocate-address --query AllocationId --output text)
    association=$(aws ec2 associate-address --instance-id $id --allocation-id $address \\
      --query AssociationId --output text)
    bootstrap $id
"""
"""By way of an elastic IP: the workers chapter logs in."""
_LAUNCHED_AGAIN: Final = """
    aws ec2 terminate-instances --instance-ids ${WORKER_1} >/dev/null
    user_data='name=worker-1|pod-cidr=10.200.1.0/24'
    id=$(launch worker-1 ${WORKER_1_IP} "$user_data" --no-associate-public-ip-address)
    route replace-route 10.200.1.0/24 "--instance-id $id"
"""
_WITH_AN_ADDRESS: Final = """
    aws ec2 terminate-instances --instance-ids ${WORKER_1} >/dev/null
    id=$(launch worker-1 ${WORKER_1_IP} 'name=worker-1|pod-cidr=10.200.1.0/24')
    route replace-route 10.200.1.0/24 "--instance-id $id"
    aws ec2 release-address --allocation-id $(aws ec2 describe-addresses --output text \\
      --query 'Addresses[?!AssociationId]|[0].AllocationId')
"""

WAY_IN: Final = (
    Fault(
        name="no rule for SSH",
        en="The security group has no rule for port 22.",
        pt="O grupo de segurança não tem regra para a porta 22.",
        breaks=_SHUT,
        expected=("ssh-port-closed worker-0",),
        errors=NOBODY_GETS_IN,
        cleans=_AS_BEFORE,
    ),
    Fault(
        name="SSH from the VPC only",
        en="The security group lets SSH in from the VPC's own range, and from nowhere else.",
        pt="O grupo de segurança deixa entrar SSH da faixa da própria VPC, e de mais nenhum lugar.",
        breaks=f"""
            {_SHUT}
            aws ec2 authorize-security-group-ingress {_INSIDE}
        """,
        expected=("ssh-port-closed worker-0",),
        errors=NOBODY_GETS_IN,
        cleans=f"""
            {_AS_BEFORE}
            aws ec2 revoke-security-group-ingress {_INSIDE}
        """,
    ),
    Fault(
        name="no public address",
        en="worker-1 was launched again, without a public address; an elastic IP served until it was set up.",
        pt="O worker-1 foi criado de novo, sem endereço público; um Elastic IP o serviu até ficar pronto.",
        breaks=f"""
            {_LAUNCHED_AGAIN}
            {_SET_UP}
            aws ec2 disassociate-address --association-id $association
        """,
        expected=("public-address-missing worker-1",),
        errors=("ssh-unreachable worker-1",),
        cleans=_WITH_AN_ADDRESS,
    ),
    Fault(
        name="elastic IP taken away",
        en="worker-1, launched without a public address, had an elastic IP, and that was released.",
        pt="O worker-1, criado sem endereço público, tinha um Elastic IP, e ele foi liberado.",
        breaks=f"""
            {_LAUNCHED_AGAIN}
            {_SET_UP}
            aws ec2 disassociate-address --association-id $association
            aws ec2 release-address --allocation-id $address
        """,
        expected=("public-address-missing worker-1",),
        errors=("ssh-unreachable worker-1",),
        cleans=_WITH_AN_ADDRESS,
    ),
)
