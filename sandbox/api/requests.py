"""The EC2 endpoint: which requests are refused before moto sees them, and which ones change things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from botocore.model import OperationNotFoundError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response

from sandbox.api import filters, quotas, refusals
from sandbox.api.addresses import AddressRequests
from sandbox.api.images import ImageRequests
from sandbox.api.instances import InstanceRequests
from sandbox.api.interfaces import InterfaceRequests
from sandbox.api.key_pairs import KeyPairRequests
from sandbox.api.later import LATER
from sandbox.api.launches import LaunchRequests
from sandbox.api.network_acls import NetworkAclRequests
from sandbox.api.pages import paged
from sandbox.api.prefix_lists import PrefixListRequests
from sandbox.api.refusals import Refusal
from sandbox.api.routes import RouteRequests
from sandbox.api.security_groups import SecurityGroupRequests
from sandbox.api.strain import Lag, Throttle
from sandbox.api.subnets import InternetGatewayRequests, SubnetRequests, VpcRequests
from sandbox.api.tables import RouteTableRequests
from sandbox.api.tags import TagRequests
from sandbox.habits import AT_ONCE, Habits

_READS = ("Describe", "Get", "List")


def _nothing() -> None:
    """Until someone wants to know of changes."""


class Ec2(
    AddressRequests,
    ImageRequests,
    InstanceRequests,
    InterfaceRequests,
    InternetGatewayRequests,
    KeyPairRequests,
    LaunchRequests,
    NetworkAclRequests,
    PrefixListRequests,
    RouteRequests,
    RouteTableRequests,
    SecurityGroupRequests,
    SubnetRequests,
    TagRequests,
    VpcRequests,
    EC2Response,
):
    """moto's EC2 with this package's refusals and answers in front."""

    changed: ClassVar[Callable[[], None]] = staticmethod(_nothing)
    habits: ClassVar[Habits] = AT_ONCE
    lag: ClassVar[Lag] = Lag(0)
    throttle: ClassVar[Throttle] = Throttle()

    describe_managed_prefix_lists = paged(
        PrefixListRequests.describe_managed_prefix_lists, "PrefixLists", 100
    )
    get_managed_prefix_list_entries = paged(
        PrefixListRequests.get_managed_prefix_list_entries, "Entries", 100
    )
    describe_internet_gateways = paged(EC2Response.describe_internet_gateways, "InternetGateways", 1000)
    describe_network_acls = paged(EC2Response.describe_network_acls, "NetworkAcls", 1000)
    describe_network_interfaces = paged(EC2Response.describe_network_interfaces, "NetworkInterfaces", 1000)
    describe_route_tables = paged(EC2Response.describe_route_tables, "RouteTables", 100)
    describe_security_groups = paged(EC2Response.describe_security_groups, "SecurityGroups", 1000)
    describe_subnets = paged(EC2Response.describe_subnets, "Subnets", 1000)
    describe_vpcs = paged(EC2Response.describe_vpcs, "Vpcs", 1000)

    def parse_parameters(self, request: Any) -> None:
        """What cannot be read is refused in ``call_action``, where there is an answer to give."""
        self._unreadable: Refusal | None = None
        try:
            super().parse_parameters(request)
        except OperationNotFoundError:
            self._unreadable = Refusal(
                "InvalidAction", f"The action {self._get_action()} is not valid for this web service."
            )
        except ValueError as error:
            self._unreadable = Refusal("InvalidParameterValue", f"A parameter cannot be read: {error}")

    def call_action(self) -> Any:
        if self._unreadable is not None:
            return self._refuse(self._unreadable)
        action = self._get_action()
        try:
            if self.region not in ec2_backends[DEFAULT_ACCOUNT_ID]:
                # AWS has no such host; an endpoint that is on this machine whatever the region has to say it.
                raise Refusal("InvalidParameterValue", f"There is no region {self.region}.")
            if not LATER.at_once:
                self._refuse_what_is_too_much(action)
            refusals.check(action, self.params)
            answer = super().call_action()
        except Refusal as refusal:
            return self._refuse(refusal)
        except NotImplementedError as error:
            if "filter" in str(error).lower():
                return self._refuse(filters.unknown(error))
            return self._refuse(Refusal("UnsupportedOperation", f"The sandbox cannot do this: {error}"))
        if answer[0] < 300 and not action.startswith(_READS):
            type(self).changed()
            if not LATER.at_once:
                self.lag.learn(action, str(answer[2]))
        return answer

    def _refuse_what_is_too_much(self, action: str) -> None:
        if self.habits.throttled:
            self.throttle.refuse(action)
        self.lag.refuse(self.params)
        if self.habits.quotas:
            quotas.refuse(self.ec2_backend, action, self.params)

    @classmethod
    def behave(cls, habits: Habits) -> None:
        """From now on."""
        cls.habits, cls.lag, cls.throttle = habits, Lag(habits.lag), Throttle()
        cls.routes_per_table = habits.routes_per_table

    def _refuse(self, refusal: Refusal) -> Any:
        _, headers, body = self.serialized(ActionResult(refusal))
        return refusal.status, headers, body
