"""The only EC2 writes of this project: ``CreateRoute`` and ``DeleteRoute``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kthw.observed import inventory
from kthw.observed.aws import allow_only, client_config, connecting, facts_of, session_for
from kthw.observed.evidence import ProvisionStep, RouteTable
from kthw.provision.journal import Place
from kthw.target import Target

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_WRITING: Final = re.compile(r"CreateRoute$|DeleteRoute$|Describe[A-Z]")


class Writer:
    """A client for ``target`` that can create and delete routes, describe, and nothing else.

    ``account`` is the account the target was seen to be (``Inventory.account``); it goes into the
    journal. Raises ``CouldNotLook`` where credentials or region are missing.
    """

    def __init__(self, target: Target, account: str) -> None:
        session = session_for(target)
        self.facts = facts_of(target) | {"region": session.region_name, "profile": session.profile_name}
        with connecting(self.facts):
            self.ec2: EC2Client = session.client(
                "ec2", endpoint_url=target.endpoint or None, config=client_config(target)
            )
        allow_only(self.ec2, _WRITING)
        self.place = Place(account=account, region=session.region_name, endpoint=self.ec2.meta.endpoint_url)

    def create(self, step: ProvisionStep) -> None:
        """Create the route ``step`` describes. Raises what botocore raises."""
        if step.target.startswith("eni-"):
            self.ec2.create_route(
                RouteTableId=step.route_table,
                DestinationCidrBlock=step.pod_cidr,
                NetworkInterfaceId=step.target,
            )
        else:
            self.ec2.create_route(
                RouteTableId=step.route_table, DestinationCidrBlock=step.pod_cidr, InstanceId=step.target
            )

    def delete(self, step: ProvisionStep) -> None:
        """Delete the route ``step`` describes. Raises what botocore raises."""
        self.ec2.delete_route(RouteTableId=step.route_table, DestinationCidrBlock=step.pod_cidr)

    def table(self, route_table: str) -> RouteTable | None:
        """The table as it is now, or ``None`` when it is gone. Raises what botocore raises."""
        found = inventory.route_tables(self.ec2, "route-table-id", [route_table])
        return found[0] if found else None
