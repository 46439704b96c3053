"""The machine images that the sandbox's account may launch, and the one user that each lets in.

Names and owners are those of the images themselves, the users those of their owners' documentation. What is
launched is the same node, but for its user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kthw.intended import tutorial

_CANONICAL: Final = "099720109477"
_DEBIAN: Final = "136693071363"
_AMAZON: Final = "137112412989"
_RED_HAT: Final = "309956199498"
_FEDORA: Final = "125523088429"
_ROCKY: Final = "792107900819"


@dataclass(frozen=True, kw_only=True)
class Image:
    """``date``: when it was made, ``YYYYMMDD``. ``alias``: what AWS calls the owner, or empty."""

    id: str
    name: str
    description: str
    owner: str
    date: str
    user: str = tutorial.SSH_USER
    alias: str = "amazon"
    root_device: str = "/dev/sda1"


def _ubuntu(number: str, folder: str, release: str, date: str) -> Image:
    named = f"ubuntu-{release}-amd64-server-{date}"
    return Image(
        id=f"ami-0000000000{number}a",
        name=f"ubuntu/images/{folder}/{named}",
        description=f"Canonical, {named.rpartition('-amd64')[0]}, amd64",
        owner=_CANONICAL,
        date=date,
    )


UBUNTU: Final = _ubuntu("002204", "hvm-ssd", "jammy-22.04", "20251001")
"""What a lab is built with where nothing else is said."""
DEBIAN: Final = Image(
    id="ami-0000000000001200b",
    name="debian-12-amd64-20251006-2257",
    description="Debian 12 (20251006-2257)",
    owner=_DEBIAN,
    date="20251006",
    user="admin",
    root_device="/dev/xvda",
)
AMAZON_LINUX: Final = Image(
    id="ami-0000000000002023c",
    name="al2023-ami-2023.9.20251014.0-kernel-6.1-x86_64",
    description="Amazon Linux 2023 AMI 2023.9.20251014.0 x86_64 HVM kernel-6.1",
    owner=_AMAZON,
    date="20251014",
    user="ec2-user",
    root_device="/dev/xvda",
)
FEDORA: Final = Image(
    id="ami-0000000000000042d",
    name="Fedora-Cloud-Base-AmazonEC2.x86_64-42-1.1",
    description="Created from build Fedora-Cloud-Base-AmazonEC2.x86_64-42-1.1",
    owner=_FEDORA,
    date="20250410",
    user="fedora",
    alias="",
)
IMAGES: Final = (
    _ubuntu("001604", "hvm-ssd", "xenial-16.04", "20210928"),
    _ubuntu("001804", "hvm-ssd", "bionic-18.04", "20230607"),
    _ubuntu("002004", "hvm-ssd", "focal-20.04", "20250530"),
    UBUNTU,
    _ubuntu("002404", "hvm-ssd-gp3", "noble-24.04", "20251001"),
    DEBIAN,
    Image(
        id="ami-0000000000000002c",
        name="amzn2-ami-kernel-5.10-hvm-2.0.20251014.0-x86_64-gp2",
        description="Amazon Linux 2 Kernel 5.10 AMI 2.0.20251014.0 x86_64 HVM gp2",
        owner=_AMAZON,
        date="20251014",
        user="ec2-user",
        root_device="/dev/xvda",
    ),
    AMAZON_LINUX,
    FEDORA,
    Image(
        id="ami-0000000000000900e",
        name="Rocky-9-EC2-Base-9.6-20250531.0.x86_64",
        description="Rocky-9-EC2-Base-9.6-20250531.0.x86_64",
        owner=_ROCKY,
        date="20250531",
        user="rocky",
        alias="",
    ),
    Image(
        id="ami-0000000000000900f",
        name="RHEL-9.6.0_HVM-20250910-x86_64-0-Hourly2-GP3",
        description="Provided by Red Hat, Inc.",
        owner=_RED_HAT,
        date="20250910",
        user="ec2-user",
    ),
)
_USERS: Final = {image.id: image.user for image in IMAGES}
_NAMES: Final = {image.id: image.name for image in IMAGES}


def user_of(image: str) -> str:
    """The user that the image of that id lets in; an id that nobody knows is taken for an Ubuntu's."""
    return _USERS.get(image, tutorial.SSH_USER)


def name_of(image: str) -> str:
    """The name of the image of that id, or nothing."""
    return _NAMES.get(image, "")
