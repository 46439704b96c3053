"""The only EC2 writes of this project: ``CreateRoute``, ``DeleteRoute`` and ``ReplaceRoute``, each sent once.

botocore sends nothing again here: none of these calls tells what an earlier attempt of ours came to from what
somebody else did meanwhile. ``apply`` and ``rollback`` try again themselves, and look in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from kthw.observed.aws import inventory
from kthw.observed.aws.rate import TokenBucket
from kthw.observed.aws.reader import allow_only, client_config, connecting, facts_of, looking, session_for
from kthw.observed.evidence import ProvisionStep, RouteTable
from kthw.provision.entry import Place
from kthw.provision.targets import parameter
from kthw.target import Target

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_WRITING: Final = re.compile(r"CreateRoute$|DeleteRoute$|ReplaceRoute$")
_READING: Final = re.compile(r"DescribeRouteTables$")
_READING_ATTEMPTS: Final = 3
_PER_SECOND: Final = 5
_AT_ONCE: Final = 50
"""The published limit of CreateRoute and of DeleteRoute, each, per account and region."""


class Writer:
    """Clients for ``target`` that can create and delete routes, list them, and nothing else.

    ``account`` is the account the target was seen to be (``Inventory.account``); it goes into the
    journal. Raises ``CouldNotLook`` where credentials or region are missing.
    """

    def __init__(self, target: Target, account: str) -> None:
        session = session_for(target)
        self.facts = facts_of(target) | {"region": session.region_name, "profile": session.profile_name}
        with connecting(self.facts):
            self.ec2: EC2Client = session.client(
                "ec2", endpoint_url=target.endpoint or None, config=client_config(target, attempts=1)
            )
            self._reading: EC2Client = session.client(
                "ec2",
                endpoint_url=target.endpoint or None,
                config=client_config(target, attempts=_READING_ATTEMPTS),
            )
        allow_only(self.ec2, _WRITING)
        allow_only(self._reading, _READING)
        self.place = Place(account=account, region=session.region_name, endpoint=self.ec2.meta.endpoint_url)
        self._pace = TokenBucket(_PER_SECOND, _AT_ONCE)

    def pace(self) -> None:
        """Wait until AWS's published limit lets another create or delete through."""
        self._pace.take()

    def create(self, step: ProvisionStep) -> bool:
        """Ask once for the route ``step`` describes; whether AWS said yes. Raises what botocore raises."""
        if step.target.startswith("eni-"):
            said = self.ec2.create_route(
                RouteTableId=step.route_table,
                DestinationCidrBlock=step.pod_cidr,
                NetworkInterfaceId=step.target,
            )
        else:
            said = self.ec2.create_route(
                RouteTableId=step.route_table, DestinationCidrBlock=step.pod_cidr, InstanceId=step.target
            )
        return said.get("Return") is True

    def replace(self, step: ProvisionStep, target: str) -> bool:
        """Ask once for the route ``step`` describes to lead to ``target``. Raises what botocore raises.

        ReplaceRoute answers with nothing; that there was an answer is all there is to know.
        """
        where: Any = {parameter(target): target}
        self.ec2.replace_route(RouteTableId=step.route_table, DestinationCidrBlock=step.pod_cidr, **where)
        return True

    def delete(self, step: ProvisionStep) -> None:
        """Ask once for the route ``step`` describes to be deleted. Raises what botocore raises."""
        self.ec2.delete_route(RouteTableId=step.route_table, DestinationCidrBlock=step.pod_cidr)

    def tables(self, ids: Iterable[str]) -> dict[str, RouteTable]:
        """By id, those of the tables that are there, as they are now. Raises ``CouldNotLook``."""
        wanted = sorted(set(ids))
        with looking("route tables", **self.facts):
            found = inventory.route_tables(self._reading, "route-table-id", wanted) if wanted else ()
        return {table.id: table for table in found}
