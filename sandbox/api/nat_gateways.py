"""NAT gateways: they come and go after a while, and their interface goes with them."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend

from sandbox.api.later import LATER
from sandbox.api.refusals import Refusal


class NatGateways(EC2Backend):
    """Those of an account. moto's leave their interface, and so their subnet and their address, in use."""

    def create_nat_gateway(self, *args: Any, **kwargs: Any) -> Any:
        made: Any = super().create_nat_gateway(*args, **kwargs)
        made._eni.serve(made.id, "nat_gateway")
        made._eni.description = f"Interface for NAT Gateway {made.id}"
        made.state = "pending"
        LATER.after_a_while(lambda: _become(made, "available", since="pending"))
        return made

    def delete_nat_gateway(self, nat_gateway_id: str) -> Any:
        gateway: Any = self.nat_gateways.get(nat_gateway_id)
        if gateway is None or gateway.state == "deleted":
            raise Refusal("NatGatewayNotFound", f"The Nat Gateway {nat_gateway_id} was not found")
        if gateway.state != "deleting":
            gateway.state = "deleting"
            LATER.after_a_while(lambda: self._vanish(gateway))
        return gateway

    def _vanish(self, gateway: Any) -> None:
        _become(gateway, "deleted", since="deleting")
        self.delete_network_interface(gateway._eni.id)


def _become(gateway: Any, state: str, since: str) -> None:
    """Unless it is another's state by now."""
    if gateway.state == since:
        gateway.state = state
