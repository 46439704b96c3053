"""Tags of a resource, looked up by its id: moto searches all tags of the account for each resource."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.responses.tags import TagResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from sandbox.api.refusals import Refusal


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


class TagRequests(TagResponse):
    """CreateTags, of what is there: moto looks for most kinds of it, and not for all."""

    def create_tags(self) -> ActionResult:
        for resource in self._get_param("Resources", []):
            for prefix, (found, code, noun) in _LOOKED_FOR.items():
                if resource.startswith(prefix) and resource not in found(self.ec2_backend):
                    raise Refusal(code, f"The {noun} '{resource}' does not exist")
        return super().create_tags()


def _instances(backend: Any) -> set[str]:
    return {instance.id for each in backend.reservations.values() for instance in each.instances}


def _rules(backend: Any) -> set[str]:
    groups = [group for groups in backend.groups.values() for group in groups.values()]
    return {rule.id for group in groups for rule in (*group.ingress_rules, *group.egress_rules)}


_LOOKED_FOR: Final[dict[str, tuple[Callable[[Any], Container[str]], str, str]]] = {
    "i-": (_instances, "InvalidInstanceID.NotFound", "instance ID"),
    "eni-": (lambda backend: backend.enis, "InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
    "acl-": (lambda backend: backend.network_acls, "InvalidNetworkAclID.NotFound", "networkAcl ID"),
    "nat-": (lambda backend: backend.nat_gateways, "NatGatewayNotFound", "NAT gateway"),
    "eipalloc-": (
        lambda backend: {each.allocation_id for each in backend.addresses},
        "InvalidAllocationID.NotFound",
        "allocation ID",
    ),
    "sgr-": (_rules, "InvalidSecurityGroupRuleId.NotFound", "security group rule ID"),
    "key-": (
        lambda backend: {pair.id for pair in backend.key_pairs.values()},
        "InvalidKeyPair.NotFound",
        "key pair ID",
    ),
}
"""By the beginning of an id: those that there are, and what AWS says of one that is not (*Error codes for the
Amazon EC2 API*)."""
