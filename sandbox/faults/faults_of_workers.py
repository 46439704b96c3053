"""Faults of the workers themselves: there, once, running, with pod addresses of their own."""

from __future__ import annotations

from typing import Final

from sandbox.faults.fault import Fault

WORKERS: Final = (
    Fault(
        name="worker terminated with its route",
        en="worker-1 was terminated, and its route deleted.",
        pt="O worker-1 foi encerrado, e a sua rota apagada.",
        breaks="""
            aws ec2 terminate-instances --instance-ids ${WORKER_1}
            route delete-route 10.200.1.0/24 ''
        """,
        expected=("worker-missing.gone worker-1",),
        restores="""
            id=$(launch worker-1 ${WORKER_1_IP} 'name=worker-1|pod-cidr=10.200.1.0/24')
            route create-route 10.200.1.0/24 "--instance-id $id"
        """,
    ),
    Fault(
        name="worker terminated, route left",
        en="worker-1 was terminated, and its route forgotten.",
        pt="O worker-1 foi encerrado, e a sua rota esquecida.",
        breaks="aws ec2 terminate-instances --instance-ids ${WORKER_1}",
        expected=("worker-missing.gone worker-1", "route-stale.gone worker-0"),
        restores="""
            route delete-route 10.200.1.0/24 ''
            id=$(launch worker-1 ${WORKER_1_IP} 'name=worker-1|pod-cidr=10.200.1.0/24')
            route create-route 10.200.1.0/24 "--instance-id $id"
        """,
    ),
    Fault(
        name="worker named in another style",
        en="worker-1 was given the name Worker_1.",
        pt="O worker-1 recebeu o nome Worker_1.",
        breaks="aws ec2 create-tags --resources ${WORKER_1} --tags Key=Name,Value=Worker_1",
        expected=("worker-missing.misnamed worker-1",),
    ),
    Fault(
        name="worker named something else",
        en="worker-1 was given the name db-primary, and its route goes on leading to it.",
        pt="O worker-1 recebeu o nome db-primary, e a sua rota continua a levar até ele.",
        breaks="aws ec2 create-tags --resources ${WORKER_1} --tags Key=Name,Value=db-primary",
        expected=("worker-missing worker-1", "route-stale worker-0"),
        restores="aws ec2 create-tags --resources ${WORKER_1} --tags Key=Name,Value=worker-1",
    ),
    Fault(
        name="worker in another VPC",
        en="worker-1 was launched again, in a VPC that an earlier attempt had left behind.",
        pt="O worker-1 foi criado de novo, numa VPC que sobrou de uma tentativa anterior.",
        breaks="""
            aws ec2 terminate-instances --instance-ids ${WORKER_1}
            route delete-route 10.200.1.0/24 ''
            launch_elsewhere worker-1
        """,
        expected=("worker-missing.elsewhere worker-1",),
        restores="""
            clear_elsewhere
            id=$(launch worker-1 ${WORKER_1_IP} 'name=worker-1|pod-cidr=10.200.1.0/24')
            route create-route 10.200.1.0/24 "--instance-id $id"
        """,
    ),
    Fault(
        name="same name in another VPC",
        en="A worker-1 of an earlier attempt still runs in another VPC.",
        pt="Um worker-1 de uma tentativa anterior ainda está em execução em outra VPC.",
        breaks="launch_elsewhere worker-1",
        expected=("worker-ambiguous.vpcs worker-1",),
        restores="clear_elsewhere",
    ),
    Fault(
        name="one worker stopped",
        en="worker-1 was stopped overnight.",
        pt="O worker-1 foi parado durante a noite.",
        breaks="aws ec2 stop-instances --instance-ids ${WORKER_1}",
        expected=("worker-not-running worker-1", "route-blackhole.stopped worker-1"),
    ),
    Fault(
        name="all workers stopped",
        en="All workers were stopped overnight.",
        pt="Todos os workers foram parados durante a noite.",
        breaks="aws ec2 stop-instances --instance-ids ${WORKER_0} ${WORKER_1} ${WORKER_2}",
        expected=tuple(
            f"{code} worker-{n}"
            for n in range(3)
            for code in ("worker-not-running", "route-blackhole.stopped")
        ),
    ),
    Fault(
        name="two stopped instances of one name",
        en="worker-1 and an older machine of that name are both stopped.",
        pt="O worker-1 e uma máquina mais antiga com esse nome estão ambos parados.",
        breaks="""
            aws ec2 create-tags --resources ${CONTROLLER_0} --tags Key=Name,Value=worker-1
            aws ec2 stop-instances --instance-ids ${WORKER_1} ${CONTROLLER_0}
        """,
        expected=("worker-not-running.several worker-1",),
        cleans="""
            aws ec2 create-tags --resources ${CONTROLLER_0} --tags Key=Name,Value=controller-0
            aws ec2 start-instances --instance-ids ${CONTROLLER_0}
        """,
    ),
    Fault(
        name="another machine of the same name",
        en="controller-0 was tagged worker-1 by mistake.",
        pt="O controller-0 recebeu por engano a tag worker-1.",
        breaks="aws ec2 create-tags --resources ${CONTROLLER_0} --tags Key=Name,Value=worker-1",
        expected=("worker-ambiguous worker-1",),
        cleans="aws ec2 create-tags --resources ${CONTROLLER_0} --tags Key=Name,Value=controller-0",
    ),
    Fault(
        name="worker launched twice",
        en="The launch loop ran a second time, so there are two machines named worker-1.",
        pt="O laço de criação rodou uma segunda vez, e há duas máquinas chamadas worker-1.",
        breaks="export AGAIN=$(launch worker-1 10.0.1.41 'name=worker-1|pod-cidr=10.200.1.0/24')",
        expected=("worker-ambiguous worker-1",),
        cleans="aws ec2 terminate-instances --instance-ids ${AGAIN}",
    ),
    Fault(
        name="source/dest check on again",
        en="The source/dest check of worker-1 was switched on again.",
        pt="A verificação de origem/destino do worker-1 foi ligada de novo.",
        breaks="aws ec2 modify-instance-attribute --instance-id ${WORKER_1} --source-dest-check",
        expected=("source-dest-check-on worker-1",),
    ),
    Fault(
        name="source/dest check never switched off",
        en="The step that switches the source/dest check off was left out for all workers.",
        pt="O passo que desliga a verificação de origem/destino foi esquecido em todos os workers.",
        breaks="""
            for id in ${WORKER_0} ${WORKER_1} ${WORKER_2}; do
              aws ec2 modify-instance-attribute --instance-id $id --source-dest-check
            done
        """,
        expected=tuple(f"source-dest-check-on worker-{n}" for n in range(3)),
    ),
    Fault(
        name="source/dest check on at a second interface",
        en="The route leads to a second interface of worker-1, whose source/dest check is still on.",
        pt="A rota leva a uma segunda interface do worker-1, cuja verificação de origem/destino está ligada.",
        breaks="""
            export SECOND=$(aws ec2 create-network-interface --subnet-id ${SUBNET} --groups ${SG} \\
              --query NetworkInterface.NetworkInterfaceId --output text)
            export ATTACHED=$(aws ec2 attach-network-interface --network-interface-id $SECOND \\
              --instance-id ${WORKER_1} --device-index 1 --query AttachmentId --output text)
            route replace-route 10.200.1.0/24 "--network-interface-id $SECOND"
        """,
        expected=("source-dest-check-on worker-1",),
        cleans="""
            route replace-route 10.200.1.0/24 "--network-interface-id ${WORKER_1_ENI}"
            aws ec2 detach-network-interface --attachment-id ${ATTACHED}
            aws ec2 delete-network-interface --network-interface-id ${SECOND}
        """,
    ),
    Fault(
        name="source/dest check on at a second interface that two halves lead to",
        en="Two routes of /25 lead to a second interface of worker-1, whose source/dest check is still on.",
        pt="Duas rotas de /25 levam a uma segunda interface do worker-1, cuja verificação de origem/destino "
        "está ligada.",
        breaks="""
            second ${SG}
            aws ec2 modify-network-interface-attribute --network-interface-id $SECOND --source-dest-check
            for half in 10.200.1.0/25 10.200.1.128/25; do
              route create-route $half "--network-interface-id $SECOND"
            done
            route delete-route 10.200.1.0/24 ''
        """,
        expected=("source-dest-check-on worker-1",),
        cleans="""
            route create-route 10.200.1.0/24 "--network-interface-id ${WORKER_1_ENI}"
            for half in 10.200.1.0/25 10.200.1.128/25; do route delete-route $half ''; done
            drop_second
        """,
    ),
)


def _written(name: str, en: str, pt: str, text: str, expected: str) -> Fault:
    """Other user data for worker-1, whose pods go on working: only what is written down is wrong."""
    return Fault(
        name=name,
        en=en,
        pt=pt,
        breaks=f"user_data ${{WORKER_1}} {text}",
        expected=(f"{expected} worker-1",),
    )


POD_CIDRS: Final = (
    Fault(
        name="no user data",
        en="worker-1 was launched without user data: its CNI file got no range, and it got no route.",
        pt="O worker-1 foi criado sem user data: o arquivo CNI ficou sem faixa, e não há rota para ele.",
        breaks="""
            user_data ${WORKER_1} ''
            route delete-route 10.200.1.0/24 ''
            ssh worker-1 'sudo sed -i s#10.200.1.0/24## /etc/cni/net.d/10-bridge.conf'
        """,
        expected=("pod-cidr-missing.absent worker-1",),
        rounds=2,
    ),
    _written(
        "user data with two pod CIDRs",
        "A script in the user data chooses between two pod CIDRs, and nothing tells which is worker-1's.",
        "Um script no user data escolhe entre dois pod CIDRs, e nada mostra qual é o do worker-1.",
        "$'#!/bin/sh\\n[ -e /a ] && POD_CIDR=10.200.0.0/24 || POD_CIDR=10.200.1.0/24\\n'",
        "pod-cidr-missing.several",
    ),
    Fault(
        name="tag with no pod CIDR",
        en="The user data of worker-1 says no pod CIDR, and its tag pod-cidr has lost the prefix length.",
        pt="O user data do worker-1 não diz um pod CIDR, e a tag pod-cidr dele perdeu o tamanho do prefixo.",
        breaks="""
            user_data ${WORKER_1} 'name=worker-1'
            aws ec2 create-tags --resources ${WORKER_1} --tags Key=pod-cidr,Value=10.200.1.0
        """,
        expected=("pod-cidr-invalid.tag worker-1",),
        cleans="""
            user_data ${WORKER_1} 'name=worker-1|pod-cidr=10.200.1.0/24'
            aws ec2 delete-tags --resources ${WORKER_1} --tags Key=pod-cidr
        """,
    ),
    _written(
        "pod-cidr without a value",
        "The variable was empty when worker-1 was launched: its pod-cidr has no value.",
        "A variável estava vazia quando o worker-1 foi criado: o pod-cidr dele não tem valor.",
        "'name=worker-1|pod-cidr='",
        "pod-cidr-missing.empty",
    ),
    _written(
        "pod-cidr misspelt",
        "The user data says pod-cider.",
        "O user data diz pod-cider.",
        "'name=worker-1|pod-cider=10.200.1.0/24'",
        "pod-cidr-missing.misspelt",
    ),
    _written(
        "user data encoded twice",
        "The user data was encoded in base64 before the CLI encoded it again.",
        "O user data foi codificado em base64 antes de a CLI codificá-lo de novo.",
        "\"$(printf %s 'name=worker-1|pod-cidr=10.200.1.0/24' | base64)\"",
        "pod-cidr-missing.twice-encoded",
    ),
    _written(
        "pod CIDR without a prefix length",
        "The user data says pod-cidr=10.200.1.0.",
        "O user data diz pod-cidr=10.200.1.0.",
        "'name=worker-1|pod-cidr=10.200.1.0'",
        "pod-cidr-invalid",
    ),
    _written(
        "pod CIDR with a netmask",
        "The user data says pod-cidr=10.200.1.0/255.255.255.0.",
        "O user data diz pod-cidr=10.200.1.0/255.255.255.0.",
        "'name=worker-1|pod-cidr=10.200.1.0/255.255.255.0'",
        "pod-cidr-invalid",
    ),
    _written(
        "pod CIDR in quotes",
        "The quotes of the command line ended up in the user data.",
        "As aspas da linha de comando foram parar no user data.",
        "'name=worker-1|pod-cidr=\"10.200.1.0/24\"'",
        "pod-cidr-invalid",
    ),
    _written(
        "pod CIDR of IPv6",
        "The user data says pod-cidr=fd00:200::/64.",
        "O user data diz pod-cidr=fd00:200::/64.",
        "'name=worker-1|pod-cidr=fd00:200::/64'",
        "pod-cidr-invalid",
    ),
    _written(
        "pod CIDR with host bits",
        "The user data says pod-cidr=10.200.1.7/24.",
        "O user data diz pod-cidr=10.200.1.7/24.",
        "'name=worker-1|pod-cidr=10.200.1.7/24'",
        "pod-cidr-invalid.host-bits",
    ),
    _written(
        "pod CIDR too small",
        "The user data says pod-cidr=10.200.1.0/31.",
        "O user data diz pod-cidr=10.200.1.0/31.",
        "'name=worker-1|pod-cidr=10.200.1.0/31'",
        "pod-cidr-invalid.unusable",
    ),
    _written(
        "pod CIDR copied from another worker",
        "The user data of worker-1 was copied from worker-0.",
        "O user data do worker-1 foi copiado do worker-0.",
        "'name=worker-1|pod-cidr=10.200.0.0/24'",
        "pod-cidr-overlap",
    ),
    _written(
        "pod CIDR around another worker's",
        "The user data of worker-1 says pod-cidr=10.200.0.0/23, which has worker-0's in it.",
        "O user data do worker-1 diz pod-cidr=10.200.0.0/23, que contém o do worker-0.",
        "'name=worker-1|pod-cidr=10.200.0.0/23'",
        "pod-cidr-overlap",
    ),
    _written(
        "pod CIDR inside the VPC",
        "The user data says pod-cidr=10.0.5.0/24, which are addresses of the VPC.",
        "O user data diz pod-cidr=10.0.5.0/24, que são endereços da VPC.",
        "'name=worker-1|pod-cidr=10.0.5.0/24'",
        "pod-cidr-inside-vpc",
    ),
    _written(
        "pod CIDR around the VPC",
        "The user data says pod-cidr=10.0.0.0/12, which has the whole VPC in it.",
        "O user data diz pod-cidr=10.0.0.0/12, que contém a VPC inteira.",
        "'name=worker-1|pod-cidr=10.0.0.0/12'",
        "pod-cidr-inside-vpc",
    ),
)
