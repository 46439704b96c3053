"""The public variants of the tutorial that reach pod networking: a row each."""

from __future__ import annotations

from typing import Final

from tests.variants.shape import Variant

_KEY: Final = "--ssh-key FILE"
_BY_JUMP: Final = "--ssh-jump NAME"
_ADMIN: Final = f"--ssh-user admin {_KEY}"

VARIANTS: Final = (
    Variant(repo="prabhatsharma/kubernetes-the-hard-way-aws", shapes=("chapter",)),
    Variant(repo="midianet/kubernetes-the-hard-way", shapes=("chapter",)),
    Variant(repo="takei-ryuichi/Kubernetes-The-Hard-Way-AWS-", shapes=("chapter",)),
    Variant(repo="michelle-hartono/Kubernetes-The-Hard-Way-AWS", shapes=("chapter",)),
    Variant(repo="tienne/kubernetes-the-hard-way-aws-ko", shapes=("VPC is subnet",)),
    Variant(repo="zmingxie/kubernetes-the-hard-way-aws", shapes=("chapter",)),
    Variant(repo="isnbh0/kubernetes-the-hard-way-aws", shapes=("chapter",)),
    Variant(
        repo="jasontsaicc/kubernetes-the-hard-way-aws", shapes=("chapter", "terraform without user data")
    ),
    Variant(repo="BdeVallejo/bdevallejo.github.io", shapes=("chapter",)),
    Variant(
        repo="slawekzachcial/kubernetes-the-hard-way-aws@k8s-1.21.0", shapes=("VPC is subnet",), ssh=_KEY
    ),
    Variant(repo="jurikolo/kubernetes-the-hard-way-aws", shapes=("chapter",), ssh=_KEY),
    Variant(repo="brian-provenzano/kubernetes-the-hard-way-aws", shapes=("VPC is subnet",), ssh=_KEY),
    Variant(repo="mkorbi/kubernetes-the-hard-way-aws-style", shapes=("VPC is subnet",), ssh=_KEY),
    Variant(repo="escarti/kubernetes-the-hard-way-tf-aws", shapes=("small subnets",), ssh=_KEY),
    Variant(
        repo="cogentwebworks/kubernetes-the-hard-way-tf-aws",
        shapes=("small subnets",),
        ssh=_KEY,
        workers="kube-worker-[0-2]-node",
    ),
    Variant(repo="fghso/kubernetes-the-hard-way-aws-terraform", shapes=("other names",), ssh=_KEY),
    Variant(repo="Nour963/kubernetes-the-hard-way-aws-terraform-ansible", shapes=("from one",), ssh=_KEY),
    Variant(repo="auth0/kthw-lab", shapes=("no name in user data",), ssh=_KEY),
    Variant(
        repo="chis0m/kubernetes-the-hard-way",
        shapes=("no pod routes",),
        ssh=_KEY,
        workers="MC-K8-Cluster-Worker-[0-2]",
    ),
    Variant(
        repo="oayanda/Kubernetes-From-Ground-Up",
        shapes=("no pod routes in 172.31",),
        ssh=_KEY,
        workers="*-worker-*",
    ),
    Variant(
        repo="channyein87/kubernetes-the-hard-way-aws-tf",
        shapes=("tags behind a jump host",),
        ssh=_BY_JUMP,
        workers="worker-*",
    ),
    Variant(repo="plechenko-coupa/kubernetes-the-hard-way-aws-PoSH", shapes=("tags",)),
    Variant(
        repo="masnes/k8s-the-hard-way-aws-port",
        shapes=("no Name, kernel routes",),
        workers="tag:name=*worker*",
    ),
    Variant(repo="mberwanger/kubernetes-the-hard-way-aws-edition", shapes=("literal backslash-n",), ssh=_KEY),
    Variant(
        repo="dekoo/kubernetes-the-hard-way-aws",
        shapes=("cloud-config, main table",),
        ssh=f"--ssh-user ec2-user {_KEY}",
    ),
    Variant(repo="thash/kubernetes-the-hard-way-on-aws", shapes=("MIME, check on",), ssh=_KEY),
    Variant(
        repo="jackzellweger/kube-the-hard-way-terraform-aws", shapes=("script, no routes yet",), ssh=_KEY
    ),
    Variant(
        repo="teodororicciardello/kubernetes-the-hard-way-aws",
        shapes=("no tags, routes to interfaces",),
        ssh=_KEY,
    ),
    Variant(repo="donhasmo/-K8s-from-ground-up", shapes=("by number",), ssh=_KEY),
    Variant(
        repo="princemaxi/Kubernetes-From-Ground-Up",
        shapes=("by number, nothing done in AWS",),
        ssh=_KEY,
        workers="k8s-cluster-from-ground-up-worker-*",
    ),
    Variant(
        repo="kebsOps/k8s-cluster-from-ground-up", shapes=("by number",), ssh=_KEY, workers="*Worker Node"
    ),
    Variant(
        repo="hajowieland/terraform-k8s-the-real-hard-way-aws", shapes=("auto-scaling group",), ssh=_BY_JUMP
    ),
    Variant(
        repo="hajowieland/cdk-py-k8s-the-real-hard-way-aws", shapes=("auto-scaling group",), ssh=_BY_JUMP
    ),
    Variant(
        repo="BroodingMawlek/terraform-k8s-the-real-hard-way-aws",
        shapes=("auto-scaling group",),
        ssh=_BY_JUMP,
    ),
    Variant(repo="Praqma/LearnKubernetes", shapes=("kubenet, one off",), ssh=f"--ssh-user fedora {_KEY}"),
    Variant(repo="poridhiEng/poridhi-labs", shapes=("one CNI range for all",), ssh=_KEY),
    Variant(repo="slawekzachcial/kubernetes-the-hard-way-aws", shapes=("node routes, check on",), ssh=_ADMIN),
    Variant(repo="Mariam-90/kubernetes-the-hard-way-aws", shapes=("node routes, check on",), ssh=_ADMIN),
    Variant(
        repo="aniruddha2004/kubernetes-the-hard-way-aws-ec2",
        shapes=("node routes, no rule between nodes",),
        ssh=_ADMIN,
    ),
    Variant(
        repo="Meuna/kubernetes-the-hard-way-on-aws",
        shapes=("node routes, private without a way out",),
        ssh=f"--ssh-user admin {_BY_JUMP}",
    ),
    Variant(
        repo="toyamagu-2021/k8s-the-hard-way-aws-terraform",
        shapes=("node routes, private",),
        ssh=_BY_JUMP,
    ),
    Variant(
        repo="driv/kubernetes-the-hard-way-on-aws",
        shapes=("node routes, check on",),
        ssh=_KEY,
        workers="k8s-node[0-1]",
    ),
    Variant(
        repo="YoyoBesser/k8s-hard-way-terraform",
        shapes=("node routes, private without a way out",),
        ssh=f"--ssh-user ec2-user {_BY_JUMP}",
    ),
    Variant(repo="konstl000/kubernetes-the-hard-way-aws", shapes=("amazon-vpc-cni",), ssh=_KEY),
    Variant(repo="andygolubev/kubernetes-the-hard-way-aws", shapes=("Weave Net",), ssh=_BY_JUMP),
    Variant(repo="mauriciomem/kube-the-hard-way-aws", shapes=("Weave Net",)),
    Variant(repo="name-is-hai/kubernetes-the-hardway-aws", shapes=("Cilium",), ssh=_BY_JUMP),
    Variant(repo="y1hao/kubernetes-the-hard-way-vibe", shapes=("Calico",), ssh=_BY_JUMP),
    Variant(repo="pauldailly/kubernetes-the-hard-way-terraform-aws", shapes=("flannel",), ssh=_KEY),
    Variant(repo="berry2012/kubernetes-the-hard-way-on-aws", shapes=("Weave Net",), ssh=_KEY),
)
