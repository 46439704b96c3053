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
    """``date``: when it was made, ``YYYYMMDD``. ``alias``: what AWS calls the owner, or empty.

    ``parameters``: the public parameters of AWS Systems Manager that say its id.
    """

    id: str
    name: str
    description: str
    owner: str
    date: str
    user: str = tutorial.SSH_USER
    alias: str = "amazon"
    root_device: str = "/dev/sda1"
    gigabytes: int = 8
    architecture: str = "x86_64"
    parameters: tuple[str, ...] = ()


_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "arm64", "x86_64": "x86_64"}
"""What AWS calls the architectures that Debian's and Amazon's names have."""


def _ubuntu(number: str, folder: str, release: str, date: str, arch: str = "amd64") -> Image:
    """``release``: as in the image's name, ``jammy-22.04``. The parameters are of the type of disk that the
    image's folder is named for (Canonical, *Find Ubuntu images on AWS*)."""
    codename, _, version = release.partition("-")
    series = f"ubuntu-{release}-{arch}-server"
    disks = ("gp3",) if folder.endswith("gp3") else ("gp2", "gp3") if codename == "jammy" else ("gp2",)
    return Image(
        id=f"ami-{'01' if arch == 'arm64' else '00'}00000000{number}a",
        name=f"ubuntu/images/{folder}/{series}-{date}",
        description=f"Canonical, ubuntu-{release}, {arch}",
        owner=_CANONICAL,
        date=date,
        architecture=_ARCHITECTURES[arch],
        parameters=tuple(
            f"/aws/service/canonical/ubuntu/server/{said}/stable/{serial}/{arch}/hvm/ebs-{disk}/ami-id"
            for said in (version, codename)
            for serial in ("current", date)
            for disk in disks
        ),
    )


def _debian(number: str, codename: str, date: str, arch: str = "amd64") -> Image:
    """``number``: of the release (Debian's wiki, *Cloud/AmazonEC2Image*)."""
    return Image(
        id=f"ami-{'01' if arch == 'arm64' else '00'}00000000{number.zfill(4)}00b",
        name=f"debian-{number}-{arch}-{date}",
        description=f"Debian {number} ({date})",
        owner=_DEBIAN,
        date=date.partition("-")[0],
        user="admin",
        root_device="/dev/xvda",
        architecture=_ARCHITECTURES[arch],
        parameters=tuple(
            f"/aws/service/debian/release/{said}/{serial}/{arch}"
            for said in (number, codename)
            for serial in ("latest", date)
        ),
    )


def _amazon(number: str, name: str, description: str, *parameters: str, arch: str = "x86_64") -> Image:
    return Image(
        id=f"ami-{'01' if arch == 'arm64' else '00'}0000000000{number}c",
        name=name,
        description=description,
        owner=_AMAZON,
        date="20251014",
        user="ec2-user",
        root_device="/dev/xvda",
        architecture=_ARCHITECTURES[arch],
        parameters=tuple(f"/aws/service/ami-amazon-linux-latest/{said}" for said in parameters),
    )


def _amazon_2023(arch: str) -> Image:
    return _amazon(
        "2023",
        f"al2023-ami-2023.9.20251014.0-kernel-6.1-{arch}",
        f"Amazon Linux 2023 AMI 2023.9.20251014.0 {arch} HVM kernel-6.1",
        f"al2023-ami-kernel-default-{arch}",
        f"al2023-ami-kernel-6.1-{arch}",
        arch=arch,
    )


UBUNTU: Final = _ubuntu("002204", "hvm-ssd", "jammy-22.04", "20251001")
"""What a lab is built with where nothing else is said."""
FOCAL: Final = _ubuntu("002004", "hvm-ssd", "focal-20.04", "20250530")
"""What the tutorial launches."""
DEBIAN: Final = _debian("12", "bookworm", "20251006-2257")
AMAZON_LINUX: Final = _amazon_2023("x86_64")
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
    _ubuntu("001604", "hvm-ssd", "xenial-16.04", "20210928", "arm64"),
    _ubuntu("001804", "hvm-ssd", "bionic-18.04", "20230607"),
    _ubuntu("001804", "hvm-ssd", "bionic-18.04", "20230607", "arm64"),
    FOCAL,
    _ubuntu("002004", "hvm-ssd", "focal-20.04", "20250530", "arm64"),
    UBUNTU,
    _ubuntu("002204", "hvm-ssd", "jammy-22.04", "20251001", "arm64"),
    _ubuntu("002404", "hvm-ssd-gp3", "noble-24.04", "20251001"),
    _ubuntu("002404", "hvm-ssd-gp3", "noble-24.04", "20251001", "arm64"),
    _debian("11", "bullseye", "20250901-2221"),
    _debian("11", "bullseye", "20250901-2221", "arm64"),
    DEBIAN,
    _debian("12", "bookworm", "20251006-2257", "arm64"),
    _debian("13", "trixie", "20251006-2257"),
    _debian("13", "trixie", "20251006-2257", "arm64"),
    _amazon(
        "0002",
        "amzn2-ami-kernel-5.10-hvm-2.0.20251014.0-x86_64-gp2",
        "Amazon Linux 2 Kernel 5.10 AMI 2.0.20251014.0 x86_64 HVM gp2",
        "amzn2-ami-hvm-x86_64-gp2",
        "amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
    ),
    AMAZON_LINUX,
    _amazon_2023("arm64"),
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


def root_device_of(image: str) -> str:
    """The device of its first disk."""
    return next((each.root_device for each in IMAGES if each.id == image), UBUNTU.root_device)
