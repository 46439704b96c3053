"""The security groups of the network interfaces, and what those of one interface allow together."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from kthw.network.filters import GroupRules
from kthw.network.prefix_lists import PrefixLists
from kthw.observed.evidence import Inventory, NetworkInterface, SecurityGroup, SecurityRule


class Groups:
    """The groups of one inventory, indexed."""

    def __init__(self, inventory: Inventory, lists: PrefixLists) -> None:
        self._lists = lists
        self._inventory = inventory
        self._by_id = {group.id: group for group in inventory.security_groups}
        self._rules: dict[tuple[str, ...], GroupRules] = {}

    def of(self, interface: NetworkInterface | None) -> tuple[SecurityGroup, ...]:
        """The ENI's groups, or nothing unless all of them were seen."""
        ids = interface.security_groups if interface else ()
        found = tuple(self._by_id[group] for group in ids if group in self._by_id)
        return found if len(found) == len(ids) else ()

    def rules(self, groups: Sequence[SecurityGroup], direction: str) -> GroupRules:
        """The united rules of ``groups``, ``ingress`` or ``egress``; made once per set of groups."""
        key = (direction, *(group.id for group in groups))
        if key not in self._rules:
            self._rules[key] = GroupRules(_united(groups, direction), self._members, self._lists.entries)
        return self._rules[key]

    @functools.cached_property
    def _members(self) -> dict[str, set[str]]:
        """By security group, the private addresses of its ENIs: all that naming the group allows."""
        members: dict[str, set[str]] = {}
        for instance in self._inventory.instances:
            for eni in instance.network_interfaces:
                for group in eni.security_groups:
                    members.setdefault(group, set()).update(eni.addresses)
        return members


def _united(groups: Sequence[SecurityGroup], direction: str) -> list[SecurityRule]:
    return [rule for group in groups for rule in (group.ingress if direction == "ingress" else group.egress)]
