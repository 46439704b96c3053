"""RunInstances: what a launch is refused for, and a launch that fails leaves nothing."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.models import EC2Backend
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Reservation
from moto.ec2.responses.instances import InstanceResponse

from sandbox.api import images, parameters, volumes
from sandbox.api.instances import refuse_long
from sandbox.api.interfaces import refuse_index
from sandbox.api.refusals import Refusal, missing

_BY_REFERENCE: Final = "resolve:ssm:"


class Launches(EC2Backend):
    """The backend's part of RunInstances."""

    def __init__(self, region_name: str, account_id: str) -> None:
        self._launched: dict[str, Reservation] = {}
        super().__init__(region_name, account_id)

    def run_instances(
        self,
        image_id: str,
        count: int,
        user_data: Base64EncodedString | None,
        security_group_names: list[str],
        **kwargs: Any,
    ) -> Reservation:
        """All of the instances or none. The same client token gets the same reservation again."""
        token = kwargs.get("client_token") or ""
        if token in self._launched:
            return self._launched[token]
        of_interfaces = dict((kwargs.get("tags") or {}).get("network-interface", {}))
        interfaces, reservations = set(self.enis), set(self.reservations)
        try:
            made = super().run_instances(image_id, count, user_data, security_group_names, **kwargs)
        except Exception:
            for new in set(self.enis) - interfaces:
                del self.enis[new]
            for failed in set(self.reservations) - reservations:
                del self.reservations[failed]
            raise
        launched: list[Any] = list(made.instances)
        for instance in launched:
            for eni in instance.nics.values():
                eni.add_tags(of_interfaces)
            instance.boot()
        if token:
            self._launched[token] = made
        return made


class LaunchRequests(InstanceResponse):
    """RunInstances with AWS's refusals."""

    def run_instances(self) -> ActionResult:
        least, most = int(self._get_param("MinCount", 1)), int(self._get_param("MaxCount", 1))
        if not 0 < least <= most:
            raise Refusal(
                "InvalidParameterValue", f"Invalid value '{least}' for minCount: maxCount is '{most}'"
            )
        self.params["MinCount"] = most
        self.params.setdefault("ClientToken", "")
        self._refuse_type(self._image())
        key = self._get_param("KeyName")
        if key and key not in self.ec2_backend.key_pairs:
            raise Refusal("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
        if self._get_param("UserData"):
            refuse_long(self._get_param("UserData"))
        specs = self._get_param("NetworkInterfaces", [])
        if specs:
            self._refuse_interfaces(specs)
        else:
            self._refuse_network()
        if most > 1 and (self._get_param("PrivateIpAddress") or any(_addressed(spec) for spec in specs)):
            raise Refusal(
                "InvalidParameterCombination",
                "A private IP address may be specified for a single instance only",
            )
        return super().run_instances()

    def _image(self) -> Any:
        """What is launched, with its disks in the request; None where a launch template says it."""
        asked = self._get_param("ImageId")
        if not asked:
            if not self._get_param("LaunchTemplate"):
                raise missing("ImageId")
            return None
        if asked.startswith(_BY_REFERENCE):
            asked = self.params["ImageId"] = parameters.resolved(self.ec2_backend, asked)
        image = images.find(self.ec2_backend, asked)
        self.params["BlockDeviceMappings"] = volumes.disks(image, self._get_param("BlockDeviceMappings", []))
        return image

    def _refuse_type(self, image: Any) -> None:
        """A type that there is not, or whose processor is another than the image's."""
        asked = self._get_param("InstanceType")
        if not asked:
            return
        known = INSTANCE_TYPES.get(asked)
        if known is None:
            raise Refusal("InvalidParameterValue", f"Invalid value '{asked}' for InstanceType.")
        can = known["ProcessorInfo"]["SupportedArchitectures"]
        if image is not None and image.architecture not in can:
            raise Refusal(
                "InvalidParameterValue",
                f"The architecture '{','.join(can)}' of the specified instance type does not match the "
                f"architecture '{image.architecture}' of the specified AMI. Specify an instance type and an "
                "AMI that have matching architectures, and try again. You can use 'describe-instance-types' "
                "or 'describe-images' to discover the architecture of the instance type or AMI.",
            )

    def _refuse_network(self) -> None:
        """A launch into one subnet, which an account without default VPC has to name."""
        subnet_id, groups = self._get_param("SubnetId"), self._get_param("SecurityGroupIds", [])
        if subnet_id:
            self.ec2_backend.refuse_groups(groups, self.ec2_backend.get_subnet(subnet_id))
            return
        zone = self._get_param("Placement.AvailabilityZone")
        for name, subnet in sorted(self.ec2_backend.get_default_subnets().items()):
            if zone in (None, name):
                self.params["SubnetId"] = subnet.id
                return
        raise Refusal("VPCIdNotSpecified", "No default VPC for this user. Name a subnet.")

    def _refuse_interfaces(self, specs: list[dict[str, Any]]) -> None:
        if self._get_param("SecurityGroupIds") or self._get_param("SecurityGroups"):
            raise Refusal(
                "InvalidParameterCombination",
                "Network interfaces and an instance-level security groups may not be specified on the "
                "same request",
            )
        if not any(int(spec.get("DeviceIndex", -1)) == 0 for spec in specs):
            raise Refusal(
                "InvalidParameterCombination", "A network interface with device index 0 is required"
            )
        indexes = [int(spec.get("DeviceIndex", 0)) for spec in specs]
        for index in indexes:
            refuse_index(index)
        if len(set(indexes)) < len(indexes):
            raise Refusal("InvalidParameterValue", "Each network interface requires a unique device index.")
        for spec in specs:
            existing = spec.get("NetworkInterfaceId")
            if existing and self.ec2_backend.get_network_interface(existing).instance is not None:
                raise Refusal("InvalidNetworkInterface.InUse", f"Interface: [{existing}] in use.")
            if not existing and spec.get("SubnetId"):
                subnet = self.ec2_backend.get_subnet(spec["SubnetId"])
                self.ec2_backend.refuse_groups(spec.get("Groups", []), subnet)


def _addressed(spec: dict[str, Any]) -> bool:
    return bool(
        spec.get("PrivateIpAddress") or spec.get("PrivateIpAddresses") or spec.get("NetworkInterfaceId")
    )
