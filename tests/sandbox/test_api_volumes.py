"""The disks of an instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.api_lab import Lab

TUTORIALS = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 50}, "NoDevice": ""}
SECOND = {"DeviceName": "/dev/sdh", "Ebs": {"VolumeSize": 100}}


@pytest.mark.parametrize(
    ("asked", "sizes"),
    [
        ([], {"/dev/sda1": 8}),
        ([TUTORIALS], {"/dev/sda1": 50}),
        ([SECOND], {"/dev/sda1": 8, "/dev/sdh": 100}),
        ([{"DeviceName": "/dev/sdh", "NoDevice": ""}], {"/dev/sda1": 8}),
    ],
    ids=["nothing", "the tutorial's", "one more", "none of that name"],
)
def test_a_launch_makes_the_image_s_disk_and_what_is_asked_for(
    api_lab: Lab, asked: list[Any], sizes: dict[str, int]
) -> None:
    worker = api_lab.run(BlockDeviceMappings=asked) if asked else api_lab.run()
    told = {each["DeviceName"]: each["Ebs"] for each in api_lab.instance(worker)["BlockDeviceMappings"]}
    volumes = {each["VolumeId"]: each for each in api_lab.ec2.describe_volumes()["Volumes"]}
    assert {device: volumes[disk["VolumeId"]]["Size"] for device, disk in told.items()} == sizes
    assert {each["VolumeType"] for each in volumes.values()} == {"gp2"}
    assert told["/dev/sda1"]["DeleteOnTermination"] is True
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    left = [each["Size"] for each in api_lab.ec2.describe_volumes()["Volumes"]]
    assert left == [size for device, size in sizes.items() if device != "/dev/sda1"]


def test_a_disk_smaller_than_its_image_is_refused(api_lab: Lab, api_refused: Callable[..., str]) -> None:
    small: Any = [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 4}}]
    assert api_refused(api_lab.run, BlockDeviceMappings=small) == "InvalidBlockDeviceMapping"
