"""What instance metadata tells one instance, by path (EC2 User Guide, *Instance metadata categories*).

Not told: what only AWS could sign (``signature``, ``pkcs7``, ``rsa2048``), and roles, which nobody has here.
"""

from __future__ import annotations

import json
from typing import Final

from sandbox.state import Eni, Instance, State

Tree = dict[str, bytes]
"""What is told, by path below a version (``meta-data/ami-id``)."""
LATEST: Final = "latest"
VERSIONS: Final = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20",
    "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01",
    "2020-10-27", "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", LATEST,
)  # fmt: skip
"""All of them tell the same here."""
_TOP: Final = ("dynamic", "meta-data", "user-data")
_KEYS: Final = "meta-data/public-keys"


def tree(instance: Instance, state: State) -> Tree:
    """All that is told to ``instance``, which runs."""
    enis = sorted((e for e in state.enis.values() if e.instance == instance.id), key=lambda eni: eni.index)
    first, launch = enis[0], instance.launch
    vpc, subnet = state.vpcs[first.vpc], state.subnets.get(first.subnet)
    name = vpc.private_name(first.addresses[0])
    device = launch.root_device
    told = {
        "ami-id": launch.image_id,
        "ami-launch-index": str(launch.number),
        "ami-manifest-path": "(unknown)",
        "block-device-mapping/ami": device,
        "block-device-mapping/root": device,
        "events/maintenance/history": "[]",
        "events/maintenance/scheduled": "[]",
        "hibernation/configured": "false",
        "hostname": name,
        "instance-action": "none",
        "instance-id": instance.id,
        "instance-life-cycle": "on-demand",
        "instance-type": launch.type,
        "local-hostname": name,
        "local-ipv4": first.addresses[0],
        "mac": first.mac,
        "placement/availability-zone": subnet.zone if subnet else "",
        "placement/availability-zone-id": subnet.zone_id if subnet else "",
        "placement/region": vpc.region,
        "profile": "default-hvm",
        "reservation-id": launch.reservation,
        "security-groups": _group_names(first, state),
        "services/domain": "amazonaws.com",
        "services/partition": "aws",
        **_public(first, state),
    }
    for eni in enis:
        its = f"network/interfaces/macs/{eni.mac}"
        told |= {f"{its}/{key}": text for key, text in _interface(eni, launch.owner, state).items()}
    if instance.public_key:
        told["public-keys/0/openssh-key"] = instance.public_key
    for key, value in instance.tags or ():
        told[f"tags/instance/{key}"] = value
    found = {f"meta-data/{key}": text.encode() for key, text in told.items() if text}
    found["dynamic/instance-identity/document"] = _identity(instance, told).encode()
    if instance.user_data:
        found["user-data"] = instance.user_data
    return found


def listed(wanted: str, told: Tree, key_name: str) -> bytes | None:
    """What a path is answered that is no leaf: the names below it, of folders with ``/``; or None."""
    below = {path[len(wanted) + 1 :] for path in told if path.startswith(f"{wanted}/")}
    if not wanted:
        return "\n".join(top for top in _TOP if any(path.split("/")[0] == top for path in told)).encode()
    names = sorted({f"{path.split('/')[0]}{'/' if '/' in path else ''}" for path in below})
    if wanted == _KEYS:
        names = [f"{name.rstrip('/')}={key_name}" for name in names]
    return "\n".join(names).encode() if names else None


def _interface(eni: Eni, owner: str, state: State) -> dict[str, str]:
    vpc, subnet = state.vpcs[eni.vpc], state.subnets.get(eni.subnet)
    public = _public(eni, state)
    return {
        "device-number": str(eni.index),
        "interface-id": eni.id,
        "local-hostname": vpc.private_name(eni.addresses[0]),
        "local-ipv4s": "\n".join(eni.addresses),
        "mac": eni.mac,
        "owner-id": owner,
        "security-group-ids": "\n".join(eni.security_groups),
        "security-groups": _group_names(eni, state),
        "subnet-id": eni.subnet,
        "subnet-ipv4-cidr-block": subnet.cidr if subnet else "",
        "vpc-id": eni.vpc,
        "vpc-ipv4-cidr-block": vpc.cidrs[0],
        "vpc-ipv4-cidr-blocks": "\n".join(vpc.cidrs),
        "public-hostname": public.get("public-hostname", ""),
        "public-ipv4s": "\n".join(address for _, address in eni.public),
        **{f"ipv4-associations/{address}": private for private, address in eni.public},
    }


def _public(eni: Eni, state: State) -> dict[str, str]:
    if not eni.public:
        return {}
    vpc, address = state.vpcs[eni.vpc], eni.public[0][1]
    named = {"public-hostname": vpc.public_name(address)} if vpc.names_public else {}
    return {"public-ipv4": address, **named}


def _group_names(eni: Eni, state: State) -> str:
    groups = (state.security_groups.get(group) for group in eni.security_groups)
    return "\n".join(group.name for group in groups if group)


def _identity(instance: Instance, told: dict[str, str]) -> str:
    launch = instance.launch
    document = {
        "accountId": launch.owner,
        "architecture": launch.architecture,
        "availabilityZone": told["placement/availability-zone"],
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": launch.image_id,
        "instanceId": instance.id,
        "instanceType": launch.type,
        "kernelId": None,
        "pendingTime": launch.time,
        "privateIp": told["local-ipv4"],
        "ramdiskId": None,
        "region": told["placement/region"],
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2, separators=(",", " : "))
