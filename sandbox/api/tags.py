"""Tags of a resource, looked up by its id: moto searches all tags of the account for each resource."""

from __future__ import annotations

from typing import Any

from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix


def of(resource: Any) -> list[dict[str, str]]:
    """As moto's ``describe_tags`` answers for one resource: key, value, id and type."""
    tags = resource.ec2_backend.tags.get(resource.id) if resource.id else None
    if not tags:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "")
    return [
        {"resource_id": resource.id, "key": key, "value": value, "resource_type": kind}
        for key, value in tags.items()
    ]
