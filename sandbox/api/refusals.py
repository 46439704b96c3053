"""What is refused before anything is looked up, in AWS's own codes and words.

Codes are copied from *Error codes for the Amazon EC2 API* with their uneven spelling
(``InvalidRouteTableID.NotFound`` but ``InvalidRouteTableId.Malformed``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from moto.core.utils import get_service_model
from moto.ec2.exceptions import EC2ClientError

_HEX: Final = r"-([0-9a-f]{8}|[0-9a-f]{17})"
_IDS: Final = {
    "i": ("InstanceId", "InvalidInstanceID.Malformed"),
    "eni": ("NetworkInterfaceId", "InvalidNetworkInterfaceId.Malformed"),
    "igw": ("InternetGatewayId", "InvalidInternetGatewayId.Malformed"),
    "rtb": ("RouteTableId", "InvalidRouteTableId.Malformed"),
    "sg": ("GroupId", "InvalidGroupId.Malformed"),
    "subnet": ("SubnetId", "InvalidSubnetID.Malformed"),
    "vpc": ("VpcId", "InvalidVpcID.Malformed"),
}
_PARAMETERS: Final = {
    name: (prefix, re.compile(prefix + _HEX), code)
    for prefix, (singular, code) in _IDS.items()
    for name in (singular, f"{singular}s", f"Security{singular}s")
}


class Refusal(EC2ClientError):  # noqa: N818 -- a refusal is an answer, not a failure
    """A request AWS answers with an error: ``Refusal(code, message)``. HTTP 400 unless said otherwise."""

    status = 400


class DryRun(Refusal):
    """The answer to every ``DryRun=true`` that would have been tried: 412, and nothing is done."""

    status = 412

    def __init__(self) -> None:
        super().__init__("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


def check(action: str, parameters: Mapping[str, Any]) -> None:
    """Raise ``Refusal`` for a required parameter that is absent, for a malformed id, and for a dry run.

    An empty value counts as absent: ``--route-table-id "$ROUTE_TABLE_ID"`` with the variable lost
    is the tutorial's own ``MissingParameter``.
    """
    shape = get_service_model("ec2").operation_model(action).input_shape
    for name in shape.required_members if shape else ():
        if parameters.get(name) in (None, ""):
            raise missing(name)
    for name, value in parameters.items():
        if name in _PARAMETERS:
            _check_ids(name, value if isinstance(value, list) else [value])
    if parameters.get("DryRun"):
        raise DryRun


def missing(name: str) -> Refusal:
    """``MissingParameter`` for the parameter ``name``, which AWS spells with a small first letter."""
    return Refusal("MissingParameter", f"The request must contain the parameter {name[0].lower()}{name[1:]}")


def _check_ids(name: str, values: list[Any]) -> None:
    prefix, pattern, code = _PARAMETERS[name]
    for value in values:
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise Refusal(code, f'Invalid id: "{value}" (expecting "{prefix}-...")')
