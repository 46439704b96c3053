"""The machine images there are: Ubuntu's, under the names the tutorials search for.

Whichever is launched, the sandbox's node is the same.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

from moto.ec2.models.amis import Ami

_CANONICAL: Final = "099720109477"
_RELEASES: Final = {
    "ami-0000000000001604a": ("hvm-ssd/ubuntu-xenial-16.04", "20210928"),
    "ami-0000000000001804a": ("hvm-ssd/ubuntu-bionic-18.04", "20230607"),
    "ami-0000000000002004a": ("hvm-ssd/ubuntu-focal-20.04", "20250530"),
    "ami-0000000000002204a": ("hvm-ssd/ubuntu-jammy-22.04", "20251001"),
    "ami-0000000000002404a": ("hvm-ssd-gp3/ubuntu-noble-24.04", "20251001"),
}


def ubuntu(account: Any) -> dict[str, Ami]:
    """Canonical's images of ``account``'s region, by id."""
    return {
        image_id: Ami(
            account,
            image_id,
            name=f"ubuntu/images/{name}-amd64-server-{date}",
            description=f"Canonical, {name.rpartition('/')[2]}, amd64",
            owner_id=_CANONICAL,
            owner_alias="amazon",
            public=True,
            virtualization_type="hvm",
            architecture="x86_64",
            creation_date=datetime.datetime.strptime(date, "%Y%m%d").replace(tzinfo=datetime.UTC),
            root_device_type="ebs",
            root_device_name="/dev/sda1",
        )
        for image_id, (name, date) in _RELEASES.items()
    }
