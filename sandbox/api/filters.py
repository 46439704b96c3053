"""How the values of a Describe filter are compared: exactly, with ``*`` and ``?``, any of several.

moto compares a list attribute with several values as sets, and knows wildcards only in tags.
"""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Iterable
from typing import Any, Final

from moto.ec2.utils import format_timestamp

from sandbox.api.refusals import Refusal

INSTANCE_ATTRIBUTES: Final = {
    "client-token": "client_token",
    "hypervisor": "hypervisor",
    "instance-state-code": "state_code",
    "launch-index": "ami_launch_index",
    "network-interface.addresses.private-ip-address": "filtered_private_addresses",
    "network-interface.addresses.association.public-ip": "network_interfaces.public_ip",
    "network-interface.attachment.attachment-id": "network_interfaces.attachment_id",
    "network-interface.attachment.device-index": "network_interfaces.device_index",
    "network-interface.attachment.instance-id": "id",
    "network-interface.availability-zone": "network_interfaces.availability_zone",
    "network-interface.description": "network_interfaces.description",
    "network-interface.group-id": "security_groups.id",
    "network-interface.mac-address": "network_interfaces.mac_address",
    "network-interface.network-interface-id": "network_interfaces.id",
    "network-interface.owner-id": "network_interfaces.owner_id",
    "network-interface.source-dest-check": "network_interfaces.source_dest_check",
    "network-interface.status": "network_interfaces.status",
    "network-interface.subnet-id": "network_interfaces.subnet_id",
    "network-interface.vpc-id": "network_interfaces.vpc_id",
    "root-device-name": "root_device_name",
    "root-device-type": "root_device_type",
    "virtualization-type": "virtualization_type",
}
"""DescribeInstances' filters that moto has no attribute for, as paths from moto's instance."""

_QUOTED: Final = re.compile(r"'([^']*)'")


def matches(value: Any, wanted: Any) -> bool:
    """Whether an attribute passes a filter: any of its values (if several) fits any that is wanted."""
    given = [wanted] if isinstance(wanted, str) else list(wanted or ())
    patterns = [pattern.replace("[", "[[]") for pattern in given]
    texts = [_text(item) for item in _values(value)]
    return any(fnmatch.fnmatchcase(text, pattern) for text in texts for pattern in patterns)


def matches_object(resource: Any, name: str, wanted: Any) -> bool:
    """The same for a resource of moto's and the name of a filter."""
    return matches(resource.get_filter_value(name), wanted)


def matches_tag(resource: Any, name: str, wanted: Any) -> bool:
    """The same for ``tag:KEY``, ``tag-key`` and ``tag-value``."""
    held = resource.get_tags()
    if name == "tag-key":
        return matches([tag["key"] for tag in held], wanted)
    key = name.partition(":")[2]
    return matches([tag["value"] for tag in held if tag["key"] == key or name == "tag-value"], wanted)


def unknown(error: NotImplementedError) -> Refusal:
    """What AWS says about a filter it does not know, from what moto says about it."""
    if len(error.args) > 1:
        name = str(error.args[1])
    else:
        found = _QUOTED.search(str(error))
        name = found[1] if found else ""
    return Refusal("InvalidParameterValue", f"The filter '{name}' is invalid")


def _values(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (value,)
    return [item for item in value if item is not None]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return format_timestamp(value)
    return str(value)
