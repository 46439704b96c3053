"""Managed prefix lists: what AWS refuses, and what is in one now."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.responses.vpcs import VPCs

from sandbox.api import cidrs
from sandbox.api.refusals import Refusal

_MOST_ENTRIES: Final = 1000
_AMAZON: Final = "com.amazonaws."
"""How the names of AWS's own lists begin, and no other's may."""


def find(backend: EC2Backend, list_id: str) -> Any:
    """moto's list with this id. Raises ``Refusal``: ``InvalidPrefixListID.NotFound``."""
    found = backend.managed_prefix_lists.get(list_id)
    if found is None or found.state.startswith("delete"):
        raise Refusal("InvalidPrefixListID.NotFound", f"The prefix list ID '{list_id}' does not exist")
    return found


def entries(prefix_list: Any) -> list[dict[str, str]]:
    """What is in its newest version."""
    return list(prefix_list.entries.values())[-1] if prefix_list.entries else []


def ranges(backend: EC2Backend, list_id: str) -> tuple[str, ...]:
    """The IPv4 ranges in it."""
    found = find(backend, list_id)
    listed = (ipaddress.ip_network(entry["Cidr"], strict=False) for entry in entries(found))
    return tuple(str(network) for network in listed if network.version == 4)


def weight(prefix_list: Any) -> int:
    """What one reference counts towards a quota: as many entries as it may have (VPC User Guide)."""
    return int(prefix_list.max_entries or len(entries(prefix_list)))


class PrefixListRequests(VPCs):
    """CreateManagedPrefixList and the like. The texts and most codes are not verified. [NV]"""

    def create_managed_prefix_list(self) -> ActionResult:
        family, most = self._get_param("AddressFamily"), int(self._get_param("MaxEntries"))
        if family not in ("IPv4", "IPv6"):
            raise _invalid(f"Value ({family}) for parameter addressFamily is invalid.")
        if not 1 <= most <= _MOST_ENTRIES:
            raise _invalid(f"Value ({most}) for parameter maxEntries is invalid: 1 to {_MOST_ENTRIES}.")
        self._refuse_name()
        self._check_entries("Entries", family, most)
        return super().create_managed_prefix_list()

    def describe_managed_prefix_lists(self) -> ActionResult:
        for list_id in self._get_param("PrefixListIds", []):
            find(self.ec2_backend, list_id)
        return super().describe_managed_prefix_lists()

    def get_managed_prefix_list_entries(self) -> ActionResult:
        found = find(self.ec2_backend, self._get_param("PrefixListId"))
        version = self._get_param("TargetVersion")
        if version and int(version) not in found.entries:
            raise Refusal("PrefixListVersionNotFound", f"{found.id} has no version {version}.")
        return super().get_managed_prefix_list_entries()

    def modify_managed_prefix_list(self) -> ActionResult:
        found = self._own()
        current, most = self._get_param("CurrentVersion"), self._get_param("MaxEntries")
        if current and int(current) != found.version:
            raise Refusal(
                "PrefixListVersionMismatch", f"The current version of {found.id} is {found.version}."
            )
        adding = self._get_param("AddEntries", [])
        removing = {
            _range(entry["Cidr"], found.address_family) for entry in self._get_param("RemoveEntries", [])
        }
        if most and (adding or removing):
            raise _invalid("Entries and maxEntries cannot be modified at the same time.")
        there = [entry["Cidr"] for entry in entries(found)]
        for cidr in removing - set(there):
            raise _invalid(f"{found.id} has no entry {cidr}.")
        self._check_entries("AddEntries", found.address_family, _MOST_ENTRIES)
        after = (set(there) - removing) | {entry["Cidr"] for entry in adding}
        if len(after) > int(most or found.max_entries):
            raise _too_many(found.id, int(most or found.max_entries))
        self.params.setdefault("PrefixListName", found.prefix_list_name)
        self._refuse_name()
        # moto keeps no new size, and lists an entry twice that is given another description.
        found.max_entries = most or found.max_entries
        given_again = {entry["Cidr"] for entry in adding} & set(there)
        self.params["RemoveEntries"] = [{"Cidr": cidr} for cidr in sorted(removing | given_again)]
        return super().modify_managed_prefix_list()

    def delete_managed_prefix_list(self) -> ActionResult:
        found = self._own()
        routed = any(
            route.destination_prefix_list_id == found.id
            for table in self.ec2_backend.route_tables.values()
            for route in table.routes
        )
        ruled = any(
            rule.prefix_list_id == found.id
            for groups in self.ec2_backend.groups.values()
            for group in groups.values()
            for rule in (*group.ingress_rules, *group.egress_rules)
        )
        if routed or ruled:
            raise Refusal("DependencyViolation", f"resource {found.id} has a dependent object")
        return super().delete_managed_prefix_list()

    def _own(self) -> Any:
        """The list that is to be changed, which is none of AWS's."""
        found = find(self.ec2_backend, self._get_param("PrefixListId"))
        if found.resource_owner_id is not None:
            raise Refusal("UnauthorizedOperation", f"{found.id} is AWS's own.")
        return found

    def _refuse_name(self) -> None:
        if str(self._get_param("PrefixListName")).startswith(_AMAZON):
            raise _invalid(f"A name beginning with {_AMAZON} is AWS's own.")

    def _check_entries(self, parameter: str, family: str, most: int) -> None:
        """Each in place, canonical."""
        given = self._get_param(parameter, [])
        for entry in given:
            entry["Cidr"] = _range(str(entry.get("Cidr")), family)
        if len({entry["Cidr"] for entry in given}) < len(given):
            raise _invalid("The same entry must not appear multiple times.")
        if len(given) > most:
            raise _too_many("The prefix list", most)


def _range(text: str, family: str) -> str:
    canonical = cidrs.block(text) if family == "IPv4" else cidrs.ipv6_block(text)
    if canonical is None:
        raise _invalid(
            f"Value ({text}) for parameter cidr is invalid. This is not a valid {family} CIDR block."
        )
    return canonical


def _too_many(what: str, most: int) -> Refusal:
    return Refusal("PrefixListMaxEntriesExceeded", f"{what} may have {most} entries.")


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)
