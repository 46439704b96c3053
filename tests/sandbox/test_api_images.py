"""Machine images, and botocore's data files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from kthw.observed.aws.image_users import image_user
from sandbox.api import data_files
from sandbox.images import IMAGES, UBUNTU, Image, user_of
from tests.sandbox.api_lab import Lab, Server

CANONICAL, DEBIAN = "099720109477", "136693071363"
RELEASES = {
    **dict.fromkeys(("xenial-16.04", "bionic-18.04", "focal-20.04", "jammy-22.04"), "hvm-ssd"),
    "noble-24.04": "hvm-ssd-gp3",
}
TYPES = {"amd64": ("x86_64", "t3.micro"), "arm64": ("arm64", "t4g.micro")}
UBUNTU_PARAMETER = "/aws/service/canonical/ubuntu/server/{}/stable/current/{}/hvm/ebs-{}/ami-id"


@pytest.mark.parametrize("arch", TYPES)
@pytest.mark.parametrize("release", RELEASES)
def test_the_tutorials_searches_for_an_image_find_the_one_of_the_public_parameter(
    api_lab: Lab, api_server: Server, release: str, arch: str
) -> None:
    named, kind = TYPES[arch]
    name = f"ubuntu/images/{RELEASES[release]}/ubuntu-{release}-{arch}-server-*"
    filters: Any = [
        {"Name": "root-device-type", "Values": ["ebs"]},
        {"Name": "architecture", "Values": [named]},
        {"Name": "virtualization-type", "Values": ["hvm"]},
        {"Name": "name", "Values": [name]},
    ]
    (image,) = api_lab.ec2.describe_images(Owners=[CANONICAL], Filters=filters)["Images"]
    launch: Any = {"MinCount": 1, "MaxCount": 1, "SubnetId": api_lab.subnet, "InstanceType": kind}
    launched = api_lab.ec2.run_instances(ImageId=image["ImageId"], **launch)["Instances"][0]
    assert (launched["ImageId"], launched["Architecture"]) == (image["ImageId"], named)
    disk = "gp3" if release.startswith("noble") else "gp2"
    asked = [UBUNTU_PARAMETER.format(said, arch, disk) for said in release.split("-")]
    answer = api_server.client("ssm").get_parameters(Names=asked)
    assert {each["Value"] for each in answer["Parameters"]} == {image["ImageId"]}
    assert answer["InvalidParameters"] == []


@pytest.mark.parametrize("arch", TYPES)
@pytest.mark.parametrize("release", ["11", "12", "13"])
def test_debian_s_images_are_found_too(api_lab: Lab, api_server: Server, release: str, arch: str) -> None:
    filters: Any = [{"Name": "name", "Values": [f"debian-{release}-{arch}-*"]}]
    (image,) = api_lab.ec2.describe_images(Owners=[DEBIAN], Filters=filters)["Images"]
    name = f"/aws/service/debian/release/{release}/latest/{arch}"
    assert api_server.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == image["ImageId"]


def test_no_public_parameter_says_an_image_that_cannot_be_launched(api_lab: Lab, api_server: Server) -> None:
    """moto knows Amazon's of some year."""
    found = []
    for page in (
        api_server.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path="/aws/service/ami-amazon-linux-latest")
    ):
        found += [each["Value"] for each in page["Parameters"]]
    assert found
    assert {each["ImageId"] for each in api_lab.ec2.describe_images(ImageIds=found)["Images"]} == set(found)


def test_an_image_may_be_named_by_a_parameter(api_lab: Lab, api_refused: Callable[..., str]) -> None:
    launch: Any = {"MinCount": 1, "MaxCount": 1, "SubnetId": api_lab.subnet}
    name = f"resolve:ssm:{UBUNTU_PARAMETER.format('22.04', 'amd64', 'gp2')}"
    assert api_lab.ec2.run_instances(ImageId=name, **launch)["Instances"][0]["ImageId"] == UBUNTU.id
    missing = "resolve:ssm:/no/such/parameter"
    assert api_refused(api_lab.ec2.run_instances, ImageId=missing, **launch) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("image", "kind", "code"),
    [
        ("None", "t3.micro", "InvalidAMIID.Malformed"),
        ("ami-0123456789abcdef0", "t3.micro", "InvalidAMIID.NotFound"),
        (UBUNTU.id, "t3.banana", "InvalidParameterValue"),
        (UBUNTU.id, "t4g.micro", "InvalidParameterValue"),
    ],
)
def test_what_cannot_be_launched_is_refused(
    api_lab: Lab, api_refused: Callable[..., str], image: str, kind: str, code: str
) -> None:
    launch: Any = {"MinCount": 1, "MaxCount": 1, "SubnetId": api_lab.subnet, "InstanceType": kind}
    assert api_refused(api_lab.ec2.run_instances, ImageId=image, **launch) == code
    if image != UBUNTU.id:
        assert api_refused(api_lab.ec2.describe_images, ImageIds=[image]) == code
    assert api_lab.ec2.describe_instances()["Reservations"] == []


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_what_is_said_of_an_image_is_enough_to_know_whom_it_lets_in(api_lab: Lab, image: Image) -> None:
    """The suite's own knowledge of names and owners and the sandbox's of its images, which neither shares."""
    (found,) = api_lab.ec2.describe_images(ImageIds=[image.id], IncludeDeprecated=True)["Images"]
    assert (found["Name"], found["OwnerId"]) == (image.name, image.owner)
    assert image_user(found["Name"], found["OwnerId"]) == user_of(image.id) == image.user


def test_botocores_data_is_read_as_botocore_reads_it_but_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import botocore

    name = str(Path(botocore.__file__).parent / "data" / "sts" / "2011-06-15" / "service-2")
    expected = JSONFileLoader().load_file(name)
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)
    data_files.read_once()
    found = JSONFileLoader().load_file(name)
    assert found == expected
    assert JSONFileLoader().load_file(name) is found
    assert JSONFileLoader().load_file(str(tmp_path / "nothing")) is None
