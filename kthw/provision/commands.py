"""The commands that do by hand what provisioning does; the same text is a finding's fix."""

from __future__ import annotations

import shlex

from kthw.observed.agent.asked import MARK
from kthw.provision.targets import option


def create_route(route_table: str, destination: str, target: str) -> str:
    """``target`` is an instance (``i-…``) or an ENI (``eni-…``)."""
    return f"aws ec2 create-route {_route(route_table, destination)} {_target(target)}"


def replace_route(route_table: str, destination: str, target: str) -> str:
    """Point an existing route at ``target``, an instance or an ENI."""
    return f"aws ec2 replace-route {_route(route_table, destination)} {_target(target)}"


def delete_route(route_table: str, destination: str) -> str:
    """Take a route away."""
    return f"aws ec2 delete-route {_route(route_table, destination)}"


def _route(route_table: str, destination: str) -> str:
    return f"--route-table-id {route_table} --destination-cidr-block {destination}"


def _target(target: str) -> str:
    return f"{option(target)} {target}"


def add_kernel_route(login: str, destination: str, via: str) -> str:
    """``login`` is the ``ssh`` command that gets into the node."""
    return f"{login} 'sudo ip route add {destination} via {via}'"


def replace_kernel_route(login: str, destination: str, via: str) -> str:
    """Point the node's own route for ``destination`` at ``via``."""
    return f"{login} 'sudo ip route replace {destination} via {via}'"


def delete_kernel_route(login: str, route: str) -> str:
    """Take away an entry, as ``ip route`` printed it."""
    return f"{login} {shlex.quote(f'sudo ip route del {shlex.join(route.split())}')}"


def delete_own_kernel_route(destination: str, via: str) -> str:
    """To be typed on the node: it takes away the one that bears our mark."""
    return f"sudo ip route del {destination} via {via} proto {MARK}"
