"""Instances: one truth about their interfaces, and what a state allows."""

from __future__ import annotations

import base64
import copy
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.models import instances
from moto.ec2.responses.instances import InstanceResponse

from sandbox.api.interfaces import public_name
from sandbox.api.key_pairs import openssh_line
from sandbox.api.later import LATER
from sandbox.api.pages import page
from sandbox.api.refusals import Refusal, missing

_MOST_USER_DATA: Final = 16 * 1024
"""Bytes, before base64 (EC2 User Guide, *Instance user data*)."""
_MOST_PER_PAGE: Final = 1000
_CODES: Final = {"pending": 0, "running": 16, "shutting-down": 32, "stopping": 64, "stopped": 80}


class Instance(instances.Instance):
    """An instance whose groups and source/dest check are those of its primary interface.

    A terminated one stays in the list with its tags, without interfaces and without addresses.
    """

    ena_support = True
    usage_operation, platform_details = "RunInstances", "Linux/UNIX"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.nics = {}
        self._metadata_options = instances.MetadataOptions()
        self._launched_with: list[Any] = []
        super().__init__(*args, **kwargs)
        # An image that moto does not know it takes for one of the years before HVM.
        self.kernel_id, self.virtualization_type = None, "hvm"
        self.hibernation_options = self.hibernation_options or {"Configured": False}
        self.public_key = openssh_line(self.ec2_backend.key_pairs.get(self.key_name or ""))
        """As it was at launch: a key pair that is deleted later still opens the instance."""

    @property
    def primary(self) -> Any:
        """The interface at device index 0, or None once terminated."""
        return self.nics.get(0)

    @property
    def source_dest_check(self) -> bool:
        return bool(self.primary.source_dest_check) if self.primary else True

    @source_dest_check.setter
    def source_dest_check(self, value: bool | str) -> None:
        if self.primary:
            self.primary.source_dest_check = str(value).lower() == "true"

    @property
    def security_groups(self) -> list[Any]:
        return self.primary.group_set if self.primary else self._launched_with

    @security_groups.setter
    def security_groups(self, groups: list[Any]) -> None:
        if self.primary:
            self.primary._group_set = groups
        else:
            self._launched_with = groups

    @property
    def metadata_options(self) -> instances.MetadataOptions:
        return self._metadata_options

    @metadata_options.setter
    def metadata_options(self, options: instances.MetadataOptions) -> None:
        """A request changes what it names: moto forgets the rest."""
        for option, value in vars(self._metadata_options).items():
            if getattr(options, option) is None:
                setattr(options, option, value)
        self._metadata_options = options

    @property
    def state_reason(self) -> Any:
        """None for a running one, of which AWS gives no reason."""
        return self._state_reason if self._state_reason.code else None

    @state_reason.setter
    def state_reason(self, reason: instances.StateReason) -> None:
        self._state_reason = reason

    @property
    def private_ip(self) -> str | None:
        return self.primary.private_ip_address if self.primary else None

    @property
    def private_ip_address(self) -> str | None:
        return self.private_ip

    @property
    def public_ip(self) -> str | None:
        return self.primary.public_ip if self.primary else None

    @property
    def public_ip_address(self) -> str | None:
        return self.public_ip

    @property
    def public_dns_name(self) -> str:
        return public_name(self.primary.subnet, self.public_ip) if self.primary else ""

    @property
    def private_dns_name(self) -> str:
        return super().private_dns_name if self.primary else ""

    @property
    def filtered_private_addresses(self) -> list[str]:
        """What the filter ``network-interface.addresses.private-ip-address`` looks at."""
        return [item["PrivateIpAddress"] for nic in self.nics.values() for item in nic.private_ip_addresses]

    def prep_nics(self, nic_spec: list[dict[str, Any]], *args: Any, **kwargs: Any) -> None:
        """What the launch made goes with the instance, unless the launch said otherwise."""
        asked = {int(spec.get("DeviceIndex", 0)): dict(spec) for spec in nic_spec}
        super().prep_nics(nic_spec, *args, **kwargs)
        for index, eni in self.nics.items():
            spec = asked.get(index, {})
            if spec.get("NetworkInterfaceId"):
                continue
            eni.delete_on_termination = spec.get("DeleteOnTermination", True)
            held = {item["PrivateIpAddress"] for item in eni.private_ip_addresses}
            more = [item["PrivateIpAddress"] for item in spec.get("PrivateIpAddresses", ())]
            self.ec2_backend.assign_private_ip_addresses(
                eni.id, [address for address in more if address not in held]
            )

    @property
    def is_up(self) -> bool:
        """Whether a route to it is active: a stopped one's is a blackhole, not yet that of one that stops."""
        return self.state in ("pending", "running", "stopping", "shutting-down")

    def boot(self) -> None:
        """``pending``, and ``running`` after a while."""
        self._become("pending")
        LATER.after_a_while(lambda: self._become("running", since="pending"))

    def start(self) -> instances.InstanceState:
        if self.state != "stopped":
            return copy.copy(self._state)
        previous = super().start()
        self.boot()
        return previous

    def stop(self) -> instances.InstanceState:
        if self.state not in ("pending", "running"):
            return copy.copy(self._state)
        previous = super().stop()
        self._become("stopping")
        LATER.after_a_while(lambda: self._become("stopped", since="stopping"))
        return previous

    def terminate(self) -> instances.InstanceState:
        """Its interfaces are its own until it is gone: until then nothing that they use can be deleted."""
        previous = copy.copy(self._state)
        if self.state not in ("shutting-down", "terminated"):
            self._become("shutting-down")
            LATER.after_a_while(self._vanish)
        return previous

    def _vanish(self) -> None:
        held = list(self.nics.values())
        for eni in held:
            self.ec2_backend.release_interface(eni)
        super().terminate()
        for eni in held:
            self.detach_eni(eni)
        self._subnet_id = None
        self._launched_with = []

    def _become(self, state: str, since: str = "") -> None:
        """Unless it is another's state by now than ``since``."""
        if since in ("", self.state):
            self._state.name, self._state.code = state, _CODES[state]

    def only_interface(self) -> Any:
        """The interface a request for the instance is about; refused unless there is exactly one."""
        self.refuse_terminated("used")
        self.refuse_several_interfaces()
        return self.primary

    def refuse_several_interfaces(self) -> None:
        """``InvalidInstanceID``, where AWS wants an interface named instead of the instance."""
        if len(self.nics) > 1:
            raise Refusal(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{self.id}'. "
                "Please specify an interface ID for the operation instead.",
            )

    def refuse_terminated(self, done: str) -> None:
        """``IncorrectInstanceState`` for what cannot be done to an instance that is gone, or goes."""
        if self.state in ("shutting-down", "terminated"):
            raise Refusal(
                "IncorrectInstanceState",
                f"The instance '{self.id}' is not in a state from which it can be {done}.",
            )


class InstanceRequests(InstanceResponse):
    """Describing, starting, stopping, terminating and modifying instances."""

    def describe_instances(self) -> ActionResult:
        wanted, filters = self._get_param("InstanceIds", []), self._filters_from_querystring()
        if wanted and self._get_param("MaxResults"):
            raise Refusal(
                "InvalidParameterCombination",
                "The parameter instancesSet cannot be used with the parameter maxResults",
            )
        if wanted:
            found = self.ec2_backend.get_reservations_by_instance_ids(list(dict.fromkeys(wanted)), filters)
        else:
            found = self.ec2_backend.describe_instances(filters=filters)
        reservations, token = page(found, self.params, _MOST_PER_PAGE)
        return ActionResult({"Reservations": reservations, "NextToken": token})

    def start_instances(self) -> ActionResult:
        for instance in self._named():
            instance.refuse_terminated("started")
            if instance.state == "stopping":
                raise Refusal(
                    "IncorrectInstanceState",
                    f"The instance '{instance.id}' is not in a state from which it can be started.",
                )
        return super().start_instances()

    def stop_instances(self) -> ActionResult:
        for instance in self._named():
            instance.refuse_terminated("stopped")
        return super().stop_instances()

    def reboot_instances(self) -> ActionResult:
        for instance in self._named():
            if not instance.is_running():
                raise Refusal("IncorrectInstanceState", f"The instance '{instance.id}' is not running.")
        return super().reboot_instances()

    def terminate_instances(self) -> ActionResult:
        """Without moto's notices to autoscaling and load balancing, which it imports for this."""
        ended = self.ec2_backend.terminate_instances([instance.id for instance in self._named()])
        return ActionResult(
            {
                "TerminatingInstances": [
                    {
                        "InstanceId": instance.id,
                        "CurrentState": {"Code": 32, "Name": "shutting-down"},
                        "PreviousState": previous,
                    }
                    for instance, previous in ended
                ]
            }
        )

    def modify_instance_attribute(self) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        instance.refuse_terminated("modified")
        attribute, value = self._get_param("Attribute"), self._get_param("Value")
        if attribute == "userData":
            del self.params["Attribute"]
            self.params["UserData"] = {"Value": value}
        elif isinstance(self._get_param("UserData.Value"), bytes):
            # A blob, which moto's parser has decoded and moto's handler decodes again.
            self.params["UserData"]["Value"] = base64.b64encode(self._get_param("UserData.Value")).decode()
        if attribute == "sourceDestCheck" or self._get_param("SourceDestCheck.Value") is not None:
            instance.refuse_several_interfaces()
        if self._get_param("Groups"):
            instance.refuse_several_interfaces()
            self.ec2_backend.refuse_groups(self._get_param("Groups"), instance.primary.subnet)
        if self._get_param("UserData.Value") is not None:
            refuse_long(self._get_param("UserData.Value"))
            if instance.state != "stopped":
                raise Refusal(
                    "IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state."
                )
        return super().modify_instance_attribute()

    def _named(self) -> list[Any]:
        ids = list(dict.fromkeys(self._get_param("InstanceIds", [])))
        if not ids:
            raise missing("InstanceId")
        self.params["InstanceIds"] = ids
        named: list[Any] = self.ec2_backend.get_multi_instances_by_id(ids)
        return named


def refuse_long(user_data: str) -> None:
    """``InvalidParameterValue`` for user data of more than 16 KB, or that is no base64."""
    try:
        size = len(base64.b64decode(str(Base64EncodedString(user_data))))
    except ValueError:
        raise Refusal("InvalidParameterValue", "Invalid BASE64 encoding of user data.") from None
    if size > _MOST_USER_DATA:
        raise Refusal("InvalidParameterValue", f"User data is limited to {_MOST_USER_DATA} bytes")
