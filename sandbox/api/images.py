"""The machine images of ``sandbox.images``, as moto has them."""

from __future__ import annotations

import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import amis
from moto.ec2.responses.amis import AmisResponse

from sandbox.api.refusals import Refusal
from sandbox.images import IMAGES, Image

_DEPRECATED_AFTER = 2 * 365
"""Days: AWS's longest for a public image (EC2 User Guide, *Deprecate an Amazon EC2 AMI*)."""


class Ami(amis.Ami):
    """An image that says which disk it starts with, and more of what AWS says of one."""

    ena_support = True
    usage_operation, platform_details = "RunInstances", "Linux/UNIX"

    def __init__(self, account: Any, image: Image) -> None:
        super().__init__(
            account,
            image.id,
            name=image.name,
            description=image.description,
            owner_id=image.owner,
            owner_alias=image.alias or None,
            public=True,
            virtualization_type="hvm",
            architecture=image.architecture,
            creation_date=datetime.datetime.strptime(image.date, "%Y%m%d").replace(tzinfo=datetime.UTC),
            image_location=f"{image.alias or image.owner}/{image.name}",
            hypervisor="xen",
            root_device_type="ebs",
            root_device_name=image.root_device,
            boot_mode="uefi-preferred",
        )
        self.deprecation_time = self.creation_date + datetime.timedelta(days=_DEPRECATED_AFTER)
        self._disk = {
            "DeleteOnTermination": True,
            "SnapshotId": self.ebs_snapshot.id,
            "VolumeSize": image.gigabytes,
            "VolumeType": "gp3" if "gp3" in image.name.lower() else "gp2",
            "Encrypted": False,
        }

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return [{"DeviceName": self.root_device_name, "Ebs": dict(self._disk)}]


class ImageRequests(AmisResponse):
    """DescribeImages, of images that there are."""

    def describe_images(self) -> ActionResult:
        for image in self._get_param("ImageIds", []):
            find(self.ec2_backend, image)
        return super().describe_images()


def of(account: Any) -> dict[str, amis.Ami]:
    """Those of ``account``'s region, by id."""
    return {image.id: Ami(account, image) for image in IMAGES}


def find(account: Any, image: str) -> Any:
    """``InvalidAMIID.Malformed`` or ``InvalidAMIID.NotFound`` for what is no image of the account's."""
    if not image.startswith("ami-"):
        raise Refusal("InvalidAMIID.Malformed", f'Invalid id: "{image}" (expecting "ami-...")')
    if image not in account.amis:
        raise Refusal("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
    return account.amis[image]
