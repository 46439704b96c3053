"""The ``aws`` commands that do by hand what provisioning does; the same text is a finding's fix."""

from __future__ import annotations


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
    option = "--network-interface-id" if target.startswith("eni-") else "--instance-id"
    return f"{option} {target}"
