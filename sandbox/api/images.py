"""The machine images of ``sandbox.images``, as moto has them."""

from __future__ import annotations

import datetime
from typing import Any

from moto.ec2.models.amis import Ami

from sandbox.images import IMAGES


def of(account: Any) -> dict[str, Ami]:
    """Those of ``account``'s region, by id."""
    return {
        image.id: Ami(
            account,
            image.id,
            name=image.name,
            description=image.description,
            owner_id=image.owner,
            owner_alias=image.alias or None,
            public=True,
            virtualization_type="hvm",
            architecture="x86_64",
            creation_date=datetime.datetime.strptime(image.date, "%Y%m%d").replace(tzinfo=datetime.UTC),
            root_device_type="ebs",
            root_device_name=image.root_device,
        )
        for image in IMAGES
    }
