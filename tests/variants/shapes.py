"""The distinct shapes of the public variants, in ids and words of our own."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Final

from kthw.intended import tutorial
from sandbox import cni, labs
from sandbox.lab import Lab
from tests.variants.of_plugins import OF_PLUGINS
from tests.variants.shape import Shape

_SUBNET: Final = labs.lab("vpc-is-subnet").but(others=())
_NODES: Final = labs.lab("node-routes")
_BY_INDEX: Final = ("--pod-cidrs", "10.200.{n}.0/24")
_ZONES: Final = ("10.240.0.0/24", "10.240.1.0/24", "10.240.2.0/24")
_SMALL: Final = ("10.240.0.0/28", "10.240.0.16/28", "10.240.0.32/28")
_CLOUD_CONFIG: Final = "#cloud-config\nruncmd:\n- echo 'export POD_CIDR={cidr}' >>/etc/profile.d/pods.sh\n"
_MIME: Final = (
    'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="part"\n\n--part\n'
    'Content-Type: text/x-shellscript; charset="us-ascii"\n\n#!/bin/sh\necho {cidr} >/opt/pods\n--part--\n'
)
_ONLY_SSH: Final = (("tcp", 22, "10.0.0.0/16"),)


def _one_for_all(_pod_cidr: str) -> cni.Files:
    return cni.chapters(tutorial.POD_RANGE)


def _one_further(pod_cidr: str) -> cni.Files:
    following = IPv4Network((int(IPv4Network(pod_cidr).network_address) + 256, 24))
    return cni.kubenet(str(following))


SHAPES: Final = (
    Shape(
        name="chapter",
        en="the chapter as it is: VPC 10.0.0.0/16, pod CIDRs in user data, a VPC route per worker",
        pt="o capítulo como é: VPC 10.0.0.0/16, pod CIDRs no user data, uma rota da VPC por worker",
        lab=Lab(others=()),
    ),
    Shape(
        name="terraform without user data",
        en="user data left out, and the source/dest check left on",
        pt="sem user data, e a verificação de origem/destino ligada",
        lab=Lab(others=(), user_data="", checked=True, options=_BY_INDEX),
        said=("source-dest-check-on all",),
    ),
    Shape(
        name="VPC is subnet",
        en="the VPC 10.240.0.0/24 is the subnet",
        pt="a VPC 10.240.0.0/24 é a sub-rede",
        lab=_SUBNET,
    ),
    Shape(
        name="small subnets",
        en="a /28 in each zone, other names; pod CIDRs in user data and in a tag",
        pt="uma /28 em cada zona, outros nomes; pod CIDRs no user data e numa tag",
        lab=_SUBNET.but(
            subnets=_SMALL,
            zones=True,
            host=5,
            name="kube_worker_{n}_instance",
            user_data="pod-cidr={cidr}",
            tags=(("Name", "{name}"), ("Pod_Cidr", "{cidr}")),
            options=("--workers", "kube_worker_[0-2]_instance"),
        ),
    ),
    Shape(
        name="other names",
        en="other names, VPC 10.240.0.0/16",
        pt="outros nomes, VPC 10.240.0.0/16",
        lab=Lab(
            others=(),
            vpc="10.240.0.0/16",
            subnets=("10.240.0.0/24",),
            name="k8s-the-hard-way-worker-{n}",
            options=("--workers", "k8s-the-hard-way-worker-[0-2]"),
        ),
    ),
    Shape(
        name="from one",
        en="workers and pod CIDRs are counted from 1",
        pt="workers e pod CIDRs são contados a partir de 1",
        lab=_SUBNET.but(
            first=1, pods="10.200.1.0/24", user_data="pod-cidr={cidr}", options=("--workers", "worker-[1-3]")
        ),
    ),
    Shape(
        name="no name in user data",
        en="user data with the pod CIDR alone",
        pt="user data só com o pod CIDR",
        lab=_SUBNET.but(user_data="pod-cidr={cidr}"),
    ),
    Shape(
        name="no pod routes",
        en="nobody makes pod routes; user data with the cluster's range too",
        pt="ninguém cria rotas de pods; user data também com a faixa do cluster",
        lab=Lab(
            others=(),
            subnets=("10.0.0.0/24",),
            name="Our-Cluster-Worker-{n}",
            user_data="name={name}|pod-cidr={cidr}|cluster-cidr=10.200.0.0/16",
            routes="",
            options=("--workers", "Our-Cluster-Worker-[0-2]"),
        ),
        said=("route-missing all",),
    ),
    Shape(
        name="no pod routes in 172.31",
        en="VPC 172.31.0.0/16, pods in 172.20.0.0/16; the chapter on routes is left out",
        pt="VPC 172.31.0.0/16, pods em 172.20.0.0/16; o capítulo das rotas ficou de fora",
        lab=Lab(
            others=(),
            vpc="172.31.0.0/16",
            subnets=("172.31.0.0/24",),
            pods="172.20.0.0/24",
            name="our-worker-{n}",
            routes="",
            options=("--workers", "our-worker-[0-2]"),
        ),
        said=("route-missing all",),
    ),
    Shape(
        name="tags behind a jump host",
        en="pod CIDRs in tags; private subnets and a public one, pod routes in all tables",
        pt="pod CIDRs em tags; sub-redes privadas e uma pública, rotas de pods em todas as tabelas",
        lab=labs.lab("private").but(
            others=(),
            user_data="",
            tags=labs.lab("tags").tags,
            cni=cni.chapters,
            workers=2,
            options=("--workers", "worker-[0-1]"),
        ),
    ),
    Shape(
        name="tags",
        en="pod CIDRs in tags, VPC 172.22.0.0/16",
        pt="pod CIDRs em tags, VPC 172.22.0.0/16",
        lab=labs.lab("tags").but(
            others=(),
            vpc="172.22.0.0/16",
            subnets=("172.22.1.0/24",),
            tags=(("Name", "{name}"), ("pod_cidr", "{cidr}")),
        ),
    ),
    Shape(
        name="no Name, kernel routes",
        en="no tag Name but one called name, pod CIDRs in a tag, kernel routes on the nodes",
        pt="nenhuma tag Name, e sim uma chamada name; pod CIDRs numa tag, rotas de kernel nos nós",
        lab=_SUBNET.but(
            workers=2,
            user_data="",
            tags=(("name", "{name}"), ("pod_cidr", "{cidr}")),
            routes="kernel",
            cni=cni.chapters,
            options=("--workers", "tag:name=worker-*"),
        ),
        packets=True,
    ),
    Shape(
        name="literal backslash-n",
        en=r"user data of other words, with a literal \n between them",
        pt=r"user data com outras palavras e um \n literal entre elas",
        lab=Lab(
            others=(),
            vpc="10.240.0.0/16",
            subnets=("10.240.0.0/24",),
            user_data=r"INSTANCE_NAME={name}\nPOD_CIDR={cidr}",
        ),
    ),
    Shape(
        name="cloud-config, main table",
        en="cloud-config that exports the pod CIDR, three zones, the main table on purpose",
        pt="cloud-config que exporta o pod CIDR, três zonas, a tabela principal de propósito",
        lab=Lab(
            others=(), vpc="10.240.0.0/22", subnets=_ZONES, zones=True, tables="main", user_data=_CLOUD_CONFIG
        ),
    ),
    Shape(
        name="MIME, check on",
        en="a MIME part that writes the pod CIDR into a file; the source/dest check stays on",
        pt="uma parte MIME que grava o pod CIDR num arquivo; a verificação de origem/destino fica ligada",
        lab=Lab(others=(), vpc="10.240.0.0/16", subnets=("10.240.0.0/24",), user_data=_MIME, checked=True),
        said=("source-dest-check-on all",),
    ),
    Shape(
        name="script, no routes yet",
        en="a script that writes the pod CIDR into a file; no pod routes yet",
        pt="um script que grava o pod CIDR num arquivo; ainda sem rotas de pods",
        lab=_SUBNET.but(user_data="#!/bin/sh\necho {cidr} >~ubuntu/pod-cidr\n", routes=""),
        said=("route-missing all",),
    ),
    Shape(
        name="no tags, routes to interfaces",
        en="no tags at all, pod CIDRs by index, routes to network interfaces",
        pt="nenhuma tag, pod CIDRs pela ordem, rotas para interfaces de rede",
        lab=labs.lab("eni-routes").but(
            others=(),
            user_data="",
            tags=(),
            options=("--workers", "10.0.1.20,10.0.1.21,10.0.1.22", *_BY_INDEX),
        ),
    ),
    Shape(
        name="by number",
        en="other names, pod CIDRs 172.20.N.0/24 by the worker's number",
        pt="outros nomes, pod CIDRs 172.20.N.0/24 pelo número do worker",
        lab=Lab(
            others=(),
            user_data="",
            name="Worker-node-{n}",
            pods="172.20.0.0/24",
            options=("--workers", "Worker-node-[0-2]", "--pod-cidrs", "172.20.{number}.0/24"),
        ),
    ),
    Shape(
        name="by number, nothing done in AWS",
        en="pod CIDRs by number; no routes, the source/dest check on, no rule for the pods' range",
        pt="pod CIDRs pelo número; sem rotas, verificação de origem/destino ligada, sem regra para os pods",
        lab=Lab(
            others=(),
            user_data="",
            name="our-cluster-worker-{n}",
            pods="172.20.0.0/24",
            routes="",
            checked=True,
            lets_in=(("-1", -1, "10.0.0.0/16"),),
            options=("--workers", "our-cluster-worker-[0-2]", "--pod-cidrs", "172.20.{number}.0/24"),
        ),
        said=("source-dest-check-on all", "route-missing all"),
    ),
    Shape(
        name="auto-scaling group",
        en="one Name for all, private subnets, NAT gateway and jump host; pod CIDRs drawn on the nodes; "
        "the source/dest check on unless it is switched off by hand",
        pt="um só Name, sub-redes privadas, NAT gateway e máquina de salto; pod CIDRs sorteados nos nós; a "
        "verificação de origem/destino ligada, a não ser que se desligue à mão",
        lab=labs.lab("private").but(
            others=(),
            workers=2,
            vpc="10.23.0.0/16",
            front="10.23.0.0/24",
            subnets=("10.23.1.0/24", "10.23.2.0/24"),
            user_data="",
            tags=(("Name", "k8s-worker"),),
            cni=cni.chapters,
            checked=True,
            options=("--workers", "tag:Name=k8s-worker"),
        ),
        said=("source-dest-check-on all",),
        packets=True,
    ),
    Shape(
        name="kubenet, one off",
        en="kubenet; the cluster gave out pod CIDRs one further than the routes, in the main table",
        pt="kubenet; o cluster deu pod CIDRs um à frente das rotas, na tabela principal",
        lab=labs.lab("kubenet").but(
            others=(),
            workers=2,
            first=1,
            tables="main",
            cni=_one_further,
            options=("--workers", "worker-[1-2]", *_BY_INDEX),
        ),
        said=("cni-subnet-mismatch all",),
        packets=True,
    ),
    Shape(
        name="one CNI range for all",
        en="the whole 10.200.0.0/16 in every worker's CNI file; the source/dest check on",
        pt="a 10.200.0.0/16 inteira no arquivo CNI de cada worker; verificação de origem/destino ligada",
        lab=Lab(
            others=(),
            workers=2,
            user_data="",
            checked=True,
            cni=_one_for_all,
            options=("--workers", "worker-[0-1]", *_BY_INDEX),
        ),
        said=("source-dest-check-on all", "cni-subnet-mismatch all"),
        packets=True,
    ),
    Shape(
        name="node routes, check on",
        en="kernel routes on the nodes, as in the present original; the source/dest check is left on",
        pt="rotas de kernel nos nós, como no original atual; a verificação de origem/destino fica ligada",
        lab=_NODES.but(checked=True),
        said=("source-dest-check-on all",),
        packets=True,
    ),
    Shape(
        name="node routes, no rule between nodes",
        en="kernel routes in 172.31.0.0/16; the source/dest check on; no rule lets a node in from another",
        pt="rotas de kernel em 172.31.0.0/16; verificação ligada; nenhuma regra deixa um nó entrar no outro",
        lab=_NODES.but(
            vpc="172.31.0.0/16",
            subnets=("172.31.16.0/20",),
            first=1,
            checked=True,
            lets_in=(("tcp", 22, "172.31.0.0/16"),),
            options=("--workers", "node-[1-2]", *_BY_INDEX),
        ),
        said=("source-dest-check-on all", "security-group-blocks node-1"),
        packets=True,
    ),
    Shape(
        name="node routes, private",
        en="kernel routes, nodes in a private subnet behind a jump host",
        pt="rotas de kernel, nós numa sub-rede privada atrás de uma máquina de salto",
        lab=_NODES.but(front="10.0.0.0/24", others=()),
        packets=True,
    ),
    Shape(
        name="node routes, private without a way out",
        en="kernel routes, private subnet without NAT, only SSH let in, the source/dest check on",
        pt="rotas de kernel, sub-rede privada sem NAT, só SSH entra, verificação de origem/destino ligada",
        lab=_NODES.but(front="10.0.0.0/24", others=(), nat=False, checked=True, lets_in=_ONLY_SSH),
        said=("source-dest-check-on all", "security-group-blocks node-0", "internet-route-missing node-0"),
        packets=True,
    ),
    *OF_PLUGINS,
)
