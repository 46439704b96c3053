"""Load balancers: the network ones of the tutorial, with their interfaces, their names and their targets."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from moto.elbv2 import models
from moto.elbv2.exceptions import DuplicateListenerError, DuplicateLoadBalancerName, ELBClientError
from moto.elbv2.responses import ELBV2Response

from sandbox.api.addresses import next_public
from sandbox.api.later import LATER
from sandbox.state import Reached, nobody_looks


class LoadBalancer(models.FakeLoadBalancer):
    """One that is active after a while, and not because somebody asks."""

    def activate(self) -> None:
        """moto does it at every look."""


class LoadBalancers(models.ELBv2Backend):
    """One account's load balancers in one region. Each has an interface in each of its subnets."""

    # moto finds the URLs of a backend by the module of its class.
    __module__ = "moto.elbv2.models"
    reached: ClassVar[Reached] = staticmethod(nobody_looks)

    def create_load_balancer(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """A network one's ARN has ``net``, its name is of another form than an application's. Asking for the
        one that is there already is answered with it (API reference: the operation is idempotent)."""
        kind, mappings = kwargs.get("loadbalancer_type"), kwargs.get("subnet_mappings") or []
        kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
        where = {*(kwargs.get("subnet_ids") or ()), *(each["SubnetId"] for each in mappings)}
        for balancer in self.load_balancers.values():
            if balancer.name == name:
                its = (balancer.type, balancer.scheme, {subnet.id for subnet in balancer.subnets})
                if its != (kind or "application", kwargs["scheme"], where):
                    raise DuplicateLoadBalancerName
                return balancer
        made = super().create_load_balancer(name, *args, **kwargs)
        del self.load_balancers[made.arn]
        identity = made.arn.rpartition("/")[2]
        if kind == "network":
            made.arn = made.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            made.dns_name = f"{name}-{identity}.elb.{self.region_name}.amazonaws.com"
        else:
            number = int(hashlib.sha256(identity.encode()).hexdigest(), 16) % 10**10
            made.dns_name = f"{name}-{number}.{self.region_name}.elb.amazonaws.com"
        self._refuse_without_gateway(made)
        self.load_balancers[made.arn] = made
        self.tagging_service.tag_resource(made.arn, kwargs.get("tags"))
        elastic = {each["SubnetId"]: each.get("AllocationId") for each in mappings}
        for subnet in made.subnets:
            self._interface(made, subnet, elastic.get(subnet.id))
        LATER.after_a_while(lambda: setattr(made, "state", "active"))
        return made

    def _refuse_without_gateway(self, balancer: Any) -> None:
        gateways: list[Any] = list(self.ec2_backend.internet_gateways.values())
        attached = {gateway.vpc.id for gateway in gateways if gateway.vpc}
        if balancer.scheme == "internet-facing" and balancer.vpc_id not in attached:
            raise ELBClientError("InvalidSubnet", f"VPC {balancer.vpc_id} has no internet gateway")

    def _interface(self, balancer: Any, subnet: Any, allocation: str | None) -> None:
        account: Any = self.ec2_backend
        label = balancer.arn.partition(":loadbalancer/")[2]
        eni = account.create_network_interface(subnet, "", description=f"ELB {label}")
        eni.serve(balancer.arn, "network_load_balancer")
        if allocation:
            account.associate_address(eni=eni, allocation_id=allocation)
        elif balancer.scheme == "internet-facing":
            eni.public_ip = next_public()

    def delete_load_balancer(self, arn: str) -> None:
        """Its interfaces go a while after it: until then the gateway and the subnets are in use."""
        super().delete_load_balancer(arn)
        account: Any = self.ec2_backend
        for eni in interfaces(account, arn):
            LATER.after_a_while(functools.partial(account.delete_network_interface, eni.id))
        for group in self.target_groups.values():
            group.load_balancer_arns = [each for each in group.load_balancer_arns if each != arn]

    def create_target_group(self, name: str, **kwargs: Any) -> Any:
        """The one that is there already, where it is the same."""
        for group in self.target_groups.values():
            its = (group.name, group.protocol, str(group.port), group.vpc_id, group.target_type)
            asked = (kwargs.get("protocol"), str(kwargs.get("port")), kwargs.get("vpc_id"))
            if its == (name, *asked, kwargs.get("target_type") or "instance"):
                return group
        return super().create_target_group(name, **kwargs)

    def create_listener(self, load_balancer_arn: str, protocol: str, port: str, *args: Any, **kw: Any) -> Any:
        balancer = self.load_balancers.get(load_balancer_arn)
        if balancer and any(str(each.port) == str(port) for each in balancer.listeners.values()):
            raise DuplicateListenerError
        return super().create_listener(load_balancer_arn, protocol, port, *args, **kw)

    def describe_target_health(self, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        found = super().describe_target_health(target_group_arn, targets)
        group = self.target_groups[target_group_arn]
        for status in found:
            if status.status == "healthy":
                status.status, status.reason, status.description = self._health(group, status)
        return found

    def _health(self, group: Any, target: Any) -> tuple[str, str | None, str | None]:
        arns = [arn for arn in group.load_balancer_arns if arn in self.load_balancers]
        if not arns:
            told = "Target group is not configured to receive traffic from the load balancer"
            return "unused", "Target.NotInUse", told
        address = target_address(self.ec2_backend, target.instance_id)
        port = group.health_check_port
        reached = type(self).reached(arns[0], address, int(port if str(port).isdecimal() else target.port))
        if reached is None:
            return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
        if not reached:
            return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
        return "healthy", None, None

    def forwards(self, balancer: Any) -> Iterator[tuple[int, tuple[tuple[str, int], ...]]]:
        """(port, targets as (address, port)) of each listener that forwards."""
        for listener in balancer.listeners.values():
            actions = [action for action in listener.default_actions if action.type == "forward"]
            arns = [arn for action in actions for arn in self._get_target_group_arns_from(action.data)]
            yield (
                int(listener.port),
                tuple(
                    (target_address(self.ec2_backend, target["Id"]), int(target["Port"]))
                    for arn in arns
                    for target in self.target_groups[arn].targets.values()
                ),
            )


class LoadBalancerRequests(ELBV2Response):
    """Elastic Load Balancing's answers; who wants to know of changes is told."""

    changed: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def call_action(self) -> Any:
        answer = super().call_action()
        if answer[0] < 300 and not self._get_action().startswith("Describe"):
            type(self).changed()
        return answer


def interfaces(account: Any, arn: str) -> list[Any]:
    """The interfaces of a load balancer."""
    return [eni for eni in account.enis.values() if eni.kept_by == arn]


def target_address(account: Any, target: str) -> str:
    """The private address of a target, which is one itself or an instance; empty for one that is gone."""
    if not target.startswith("i-"):
        return target
    instance: Any = account.get_instance_by_id(target)
    return str(instance.private_ip or "") if instance else ""
