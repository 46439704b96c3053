"""Beliefs about what becomes of a route whose target stops, ends or is detached. In this order: the machines
end meanwhile."""

from __future__ import annotations

import time
from typing import Final

from sandbox.beliefs.belief import Belief
from sandbox.beliefs.lab import PODS, Lab

_ELSEWHERE: Final = "10.201.0.0/24"
_INTERNET: Final = "0.0.0.0/0"


def _stopping(lab: Lab) -> str:
    """The states of the route while the machine stops, and at last."""
    began, seen = time.monotonic(), dict[str, str]()
    with lab.route(PODS[1], InstanceId=lab.b.id):
        lab.call("stop_instances", InstanceIds=[lab.b.id])

        def now() -> str:
            machine, route = lab.state(lab.b), lab.state_of(PODS[1])
            lab.heard.append(
                {"after": f"{time.monotonic() - began:.1f} s", "instance": machine, "route": route}
            )
            # What was asked for before the other may have changed meanwhile: only what stays is believed.
            if lab.state(lab.b) == machine:
                seen[machine] = route
            return f"{machine}: {route}"

        lab.until("stopped: blackhole", now)
    return "; ".join(f"{machine}: {seen[machine]}" for machine in ("stopping", "stopped") if machine in seen)


def _to_a_stopped_one(lab: Lab) -> str:
    lab.be(lab.b, "stopped")
    with lab.route(_ELSEWHERE, InstanceId=lab.b.id):
        return lab.until("blackhole", lambda: lab.state_of(_ELSEWHERE))


def _started_again(lab: Lab) -> str:
    lab.be(lab.b, "stopped")
    with lab.route(PODS[1], InstanceId=lab.b.id):
        before = lab.until("blackhole", lambda: lab.state_of(PODS[1]))
        lab.be(lab.b, "running")
        return f"{before}, then {lab.until('active', lambda: lab.state_of(PODS[1]))}"


def _ended(lab: Lab) -> str:
    lab.be(lab.b, "running")
    interface = lab.instance(lab.b)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    with lab.route(PODS[1], InstanceId=lab.b.id):
        lab.be(lab.b, "terminated")
        state = lab.until("blackhole", lambda: lab.state_of(PODS[1]))
        route = lab.route_to(PODS[1])
    kept = "kept" if route.get("NetworkInterfaceId") == interface else "gone"
    return f"{state}; interface: {kept}; instance: {'kept' if 'InstanceId' in route else 'gone'}"


def _to_an_ended_one(lab: Lab) -> str:
    lab.be(lab.b, "terminated")
    code = lab.code("create_route", RouteTableId=lab.table, DestinationCidrBlock=PODS[1], InstanceId=lab.b.id)
    if code == "accepted":
        lab.call("delete_route", RouteTableId=lab.table, DestinationCidrBlock=PODS[1])
    return code


def _detach_in_use(lab: Lab) -> str:
    lab.be(lab.a, "running")
    gateway = {"InternetGatewayId": lab.gateway, "VpcId": lab.vpc}
    code = lab.code("detach_internet_gateway", **gateway)
    if code == "accepted":
        lab.call("attach_internet_gateway", **gateway)
    return code


def _detached(lab: Lab) -> str:
    for each in (lab.a, lab.b):
        lab.be(each, "terminated")
    gateway = {"InternetGatewayId": lab.gateway, "VpcId": lab.vpc}
    detached = lab.until("accepted", lambda: lab.code("detach_internet_gateway", **gateway))
    if detached != "accepted":
        return detached
    state = lab.until("blackhole", lambda: lab.state_of(_INTERNET))
    lab.call("attach_internet_gateway", **gateway)
    return f"{state}, then {lab.until('active', lambda: lab.state_of(_INTERNET))}"


def _deleted(lab: Lab) -> str:
    for each in (lab.a, lab.b):
        lab.be(each, "terminated")
    gateway = {"InternetGatewayId": lab.gateway, "VpcId": lab.vpc}
    lab.until("accepted", lambda: lab.code("detach_internet_gateway", **gateway))
    lab.call("delete_internet_gateway", InternetGatewayId=lab.gateway)
    state = lab.until("blackhole", lambda: lab.state_of(_INTERNET))
    kept = lab.route_to(_INTERNET).get("GatewayId") == lab.gateway
    return f"{state}; gateway: {'kept' if kept else 'gone'}"


ENDS: Final = (
    Belief("stopping-and-stopped", "stopping: active; stopped: blackhole", "reported", _stopping),
    Belief("route-to-a-stopped-one", "blackhole", "inferred", _to_a_stopped_one),
    Belief("started-again", "blackhole, then active", "reported", _started_again),
    Belief("ended", "blackhole; interface: kept; instance: gone", "reported", _ended),
    Belief("route-to-an-ended-one", "InvalidInstanceID.NotFound", "inferred", _to_an_ended_one),
    Belief("detach-in-use", "DependencyViolation", "reported", _detach_in_use),
    Belief("detached-gateway", "blackhole, then active", "documented", _detached),
    Belief("deleted-gateway", "blackhole; gateway: kept", "inferred", _deleted),
)
