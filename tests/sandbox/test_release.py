"""A machine says that it is what its image is, and calls its network interfaces as that does."""

from __future__ import annotations

import pytest

from sandbox.images import AMAZON_LINUX, DEBIAN, IMAGES, UBUNTU
from sandbox.release import device, os_release, release
from tests.sandbox.api_lab import Lab


@pytest.mark.parametrize(
    ("image", "id_", "version"),
    [
        (UBUNTU.name, "ubuntu", "22.04"),
        ("ubuntu/images/hvm-ssd/ubuntu-bionic-18.04-arm64-server-20230607", "ubuntu", "18.04"),
        (DEBIAN.name, "debian", "12"),
        (AMAZON_LINUX.name, "amzn", "2023"),
        ("amzn2-ami-kernel-5.10-hvm-2.0.20251014.0-x86_64-gp2", "amzn", "2"),
        ("Rocky-9-EC2-Base-9.6-20250531.0.x86_64", "rocky", "9.6"),
        ("", "ubuntu", "22.04"),
    ],
)
def test_os_release_is_the_image_s(image: str, id_: str, version: str) -> None:
    """A script reads ID and VERSION_ID; an image that nobody knows is taken for an Ubuntu."""
    pairs = dict(line.split("=", 1) for line in os_release(release(image)).splitlines())
    assert (pairs["ID"], pairs["VERSION_ID"]) == (id_, f'"{version}"')


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_image_has_a_release_with_a_version(image: object) -> None:
    found = release(image.name)  # type: ignore[attr-defined]  # an Image; parametrize cannot say so
    assert found.version
    assert (found.codename != "") == (found.id in ("ubuntu", "debian"))


@pytest.mark.parametrize(
    ("image", "hypervisor", "names"),
    [
        (UBUNTU.name, "nitro", ["ens5", "ens6"]),
        (UBUNTU.name, "xen", ["eth0", "eth1"]),
        ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20251001", "xen", ["enX0", "enX1"]),
        (AMAZON_LINUX.name, "nitro", ["ens5", "ens6"]),
        ("amzn2-ami-kernel-5.10-hvm-2.0.20251014.0-x86_64-gp2", "nitro", ["eth0", "eth1"]),
        ("RHEL-9.6.0_HVM-20250910-x86_64-0-Hourly2-GP3", "nitro", ["eth0", "eth1"]),
    ],
)
def test_interfaces_are_called_as_on_that_hypervisor(image: str, hypervisor: str, names: list[str]) -> None:
    assert [device(image, hypervisor, index) for index in range(2)] == names


def test_a_t2_is_xen_s_and_its_interface_has_the_address_that_the_api_tells(api_lab: Lab) -> None:
    old, new = api_lab.run(InstanceType="t2.micro"), api_lab.run(InstanceType="t3.micro")
    enis = {eni.instance: eni for eni in api_lab.state.enis.values()}
    assert (enis[old].device, enis[new].device) == ("eth0", "ens5")
    told = api_lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[enis[old].id])["NetworkInterfaces"][0]
    assert told["MacAddress"] == enis[old].mac
