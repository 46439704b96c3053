"""Machine images, and botocore's data files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from kthw.observed.aws.image_users import image_user
from sandbox.api import data_files
from sandbox.images import IMAGES, Image, user_of
from tests.sandbox.api_lab import Lab


@pytest.mark.parametrize("release", ["xenial-16.04", "bionic-18.04", "focal-20.04", "jammy-22.04"])
def test_the_tutorials_search_for_an_image_finds_one(api_lab: Lab, release: str) -> None:
    filters: Any = [
        {"Name": "root-device-type", "Values": ["ebs"]},
        {"Name": "architecture", "Values": ["x86_64"]},
        {"Name": "name", "Values": [f"ubuntu/images/hvm-ssd/ubuntu-{release}-amd64-server-*"]},
    ]
    images = api_lab.ec2.describe_images(Owners=["099720109477"], Filters=filters)["Images"]
    assert len(images) == 1
    launched = api_lab.ec2.run_instances(
        ImageId=images[0]["ImageId"], MinCount=1, MaxCount=1, SubnetId=api_lab.subnet
    )
    assert launched["Instances"][0]["ImageId"] == images[0]["ImageId"]


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
