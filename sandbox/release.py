"""The system that an image is of: what its machine says it is, and what it calls its network interfaces.

Its programs are this computer's, whatever the image; who asks what it is, person or script, is answered as of
the image.
Interface names: EC2 User Guide, *Network interfaces* (``ens5`` on Nitro, ``eth0`` or ``enX0`` on Xen); Red
Hat's and Amazon Linux 2's images are started with ``net.ifnames=0``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ON_NITRO: Final = 5
"""The PCI slot of the first one, and so its number."""


@dataclass(frozen=True)
class Release:
    """``id`` and ``version`` as in ``/etc/os-release``, ``name`` there too; ``codename`` may be empty."""

    id: str
    name: str
    version: str
    codename: str = ""
    like: str = ""
    home: str = ""

    @property
    def pretty(self) -> str:
        """As it greets."""
        codename = f" ({self.codename.split()[0].lower()})" if self.id == "debian" else ""
        lts = " LTS" if self.id == "ubuntu" else ""
        return f"{self.name} {self.version}{lts}{codename}"

    @property
    def is_ubuntu(self) -> bool:
        return self.id == "ubuntu"


_UBUNTUS: Final = {
    "16.04": "Xenial Xerus",
    "18.04": "Bionic Beaver",
    "20.04": "Focal Fossa",
    "22.04": "Jammy Jellyfish",
    "24.04": "Noble Numbat",
}
_DEBIANS: Final = {"10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie"}
_UBUNTU: Final = re.compile(r"ubuntu-[a-z]+-(\d\d\.\d\d)-")
_DEBIAN: Final = re.compile(r"debian-(\d+)-")
_OTHERS: Final = (
    (re.compile(r"amzn2-"), Release("amzn", "Amazon Linux", "2", like="centos rhel fedora")),
    (re.compile(r"al2023-"), Release("amzn", "Amazon Linux", "2023", like="fedora")),
    (re.compile(r"Fedora-.*-(?P<version>\d+)-"), Release("fedora", "Fedora Linux", "")),
    (
        re.compile(r"Rocky-.*-(?P<version>\d+\.\d+)-"),
        Release("rocky", "Rocky Linux", "", like="rhel centos fedora"),
    ),
    (
        re.compile(r"RHEL-(?P<version>\d+\.\d+)"),
        Release("rhel", "Red Hat Enterprise Linux", "", like="fedora"),
    ),
)


def release(image: str) -> Release:
    """That of an image of this name; one that nobody knows is taken for the Ubuntu of most tutorials."""
    for pattern, other in _OTHERS:
        found = pattern.match(image)
        if found:
            version = found.groupdict().get("version") or other.version
            return Release(other.id, other.name, version, like=other.like)
    found = _DEBIAN.match(image)
    if found:
        codename = _DEBIANS.get(found[1], "")
        return Release("debian", "Debian GNU/Linux", found[1], codename, home="https://www.debian.org/")
    found = _UBUNTU.search(image)
    version = found[1] if found else "22.04"
    codename = _UBUNTUS.get(version, "")
    return Release("ubuntu", "Ubuntu", version, codename, "debian", "https://www.ubuntu.com/")


def os_release(of: Release) -> str:
    """``/etc/os-release``."""
    codename = of.codename.split()[0].lower() if of.codename else ""
    version = f"{of.version} ({of.codename})" if of.codename else of.version
    if of.is_ubuntu:
        version = version.replace(" (", " LTS (")
    pairs = {
        "PRETTY_NAME": f'"{of.pretty}"',
        "NAME": f'"{of.name}"',
        "VERSION_ID": f'"{of.version}"',
        "VERSION": f'"{version}"',
        "VERSION_CODENAME": codename,
        "ID": of.id,
        "ID_LIKE": f'"{of.like}"' if " " in of.like else of.like,
        "HOME_URL": f'"{of.home}"' if of.home else "",
        "UBUNTU_CODENAME": codename if of.is_ubuntu else "",
    }
    return "".join(f"{key}={value}\n" for key, value in pairs.items() if value)


def device(image: str, hypervisor: str, index: int) -> str:
    """What the guest calls its network interface of that device index; ``hypervisor``: nitro or xen."""
    of = release(image)
    if of.id in ("rhel", "rocky") or (of.id, of.version) == ("amzn", "2"):
        return f"eth{index}"
    if hypervisor != "xen":
        return f"ens{_ON_NITRO + index}"
    # The systemd of these gives the cards of Xen a name of their own.
    predictable = (of.id, of.version) in (("ubuntu", "24.04"), ("amzn", "2023"))
    return f"enX{index}" if predictable else f"eth{index}"
