"""What is not an address, an id, a number of that kind does not get through a door."""

from __future__ import annotations

import msgspec
import pytest

from kthw.observed import values
from kthw.observed.evidence import Route


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Address", "10.0.0.1"),
        ("MaybeAddress", ""),
        ("Cidr", "10.200.0.7/24"),
        ("MaybeCidr", ""),
        ("Identifier", "i-0ab12cd"),
        ("Identifier", "::/0"),
        ("RuleProtocol", "-1"),
        ("Interface", "ens5.100"),
        ("Port", -1),
    ],
)
def test_a_value_of_its_kind_passes(kind: str, value: object) -> None:
    assert msgspec.convert(value, getattr(values, kind)) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Address", ""),
        ("Address", "10.0.0.1\n"),
        ("Address", "10.0.0.1\nnetns add x"),
        ("Address", "10.0.0.256"),
        ("Address", "010.0.0.1"),
        ("Address", "١٠.0.0.1"),
        ("MaybeAddress", "$(touch x)"),
        ("Cidr", "10.0.0.0/33"),
        ("Cidr", "10.0.0.0"),
        ("MaybeCidr", "fd00::/64"),
        ("Identifier", ""),
        ("Identifier", "i-0ab cd"),
        ("Identifier", "i-0ab;cd"),
        ("Identifier", "-oProxyCommand=x"),
        ("MaybeIdentifier", "--profile"),
        ("Interface", "a-name-too-long-for-linux"),
        ("Interface", "../etc"),
        ("Port", 70000),
        ("Port", "x"),
        ("Small", -1),
        ("Milliseconds", -1.0),
        ("Name", "x" * 301),
    ],
)
def test_a_value_of_another_kind_does_not(kind: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, getattr(values, kind))


def test_a_route_that_is_not_foreign_has_an_ipv4_destination() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"destination": "pl-0ab"}, Route)
    assert msgspec.convert({"destination": "pl-0ab", "foreign": True}, Route).foreign
