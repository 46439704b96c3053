"""Public addresses and key pairs: the way in."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.internet import LAPTOP
from tests.sandbox.api_lab import Lab

Refused = Callable[..., str]


def _public(lab: Lab, **parameters: Any) -> str:
    spec: Any = {"DeviceIndex": 0, "SubnetId": lab.subnet, "AssociatePublicIpAddress": True, **parameters}
    return lab.run(NetworkInterfaces=[spec])


DOCUMENTATION = [ipaddress.ip_network(f"{block}.0/24") for block in ("192.0.2", "198.51.100", "203.0.113")]


def reaches_nobody(address: str) -> bool:
    return any(ipaddress.ip_address(address) in block for block in DOCUMENTATION)


def test_a_public_address_is_given_only_where_asked_for(api_lab: Lab) -> None:
    assert "PublicIpAddress" not in api_lab.instance(api_lab.run())
    worker = _public(api_lab, PrivateIpAddress="10.0.1.20")
    address = api_lab.instance(worker)["PublicIpAddress"]
    assert reaches_nobody(address)
    assert api_lab.state_eni(worker).public == (("10.0.1.20", address),)
    api_lab.ec2.modify_subnet_attribute(SubnetId=api_lab.subnet, MapPublicIpOnLaunch={"Value": True})
    assert api_lab.instance(api_lab.run())["PublicIpAddress"]


def test_an_auto_assigned_address_changes_with_a_stop(api_lab: Lab) -> None:
    worker = _public(api_lab)
    first = api_lab.instance(worker)["PublicIpAddress"]
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    assert "PublicIpAddress" not in api_lab.instance(worker)
    assert api_lab.state_eni(worker).public == ()
    api_lab.ec2.start_instances(InstanceIds=[worker])
    second = api_lab.instance(worker)["PublicIpAddress"]
    api_lab.ec2.start_instances(InstanceIds=[worker])
    assert api_lab.instance(worker)["PublicIpAddress"] == second != first


def test_an_elastic_ip_is_routable_and_outlives_a_stop(api_lab: Lab) -> None:
    worker = _public(api_lab, PrivateIpAddress="10.0.1.20")
    own = api_lab.instance(worker)["PublicIpAddress"]
    eip = api_lab.ec2.allocate_address(Domain="vpc")
    assert reaches_nobody(eip["PublicIp"])
    api_lab.ec2.associate_address(AllocationId=eip["AllocationId"], InstanceId=worker)
    assert api_lab.state_eni(worker).public == (("10.0.1.20", eip["PublicIp"]),)
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    api_lab.ec2.start_instances(InstanceIds=[worker])
    assert api_lab.instance(worker)["PublicIpAddress"] == eip["PublicIp"] != own
    api_lab.ec2.disassociate_address(PublicIp=eip["PublicIp"])
    assert api_lab.instance(worker)["PublicIpAddress"] != eip["PublicIp"]


def test_public_addresses_reach_nobody_however_many_are_held(api_lab: Lab) -> None:
    """RFC 5737's while any is free, the laptop's excepted; then RFC 2544's, which are nobody's either."""
    held = [api_lab.ec2.allocate_address(Domain="vpc") for _ in range(765)]
    given = [eip["PublicIp"] for eip in held]
    beyond = [address for address in given if not reaches_nobody(address)]
    assert len(set(given)) == 765
    assert LAPTOP not in given
    assert beyond == given[761:]
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network("198.18.0.0/15") for address in beyond)
    for eip in held[5:8]:
        api_lab.ec2.release_address(AllocationId=eip["AllocationId"])
    again = {api_lab.ec2.allocate_address(Domain="vpc")["PublicIp"] for _ in range(3)}
    assert again == set(given[5:8])


def test_a_terminated_instance_gives_its_elastic_ip_back(api_lab: Lab) -> None:
    worker = api_lab.run()
    eip = api_lab.ec2.allocate_address(Domain="vpc")
    api_lab.ec2.associate_address(AllocationId=eip["AllocationId"], InstanceId=worker)
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    described = api_lab.ec2.describe_addresses(AllocationIds=[eip["AllocationId"]])["Addresses"][0]
    assert not described.get("AssociationId")
    api_lab.ec2.release_address(AllocationId=eip["AllocationId"])


def test_an_elastic_ip_moves_only_when_that_is_allowed(api_lab: Lab, api_refused: Refused) -> None:
    first, second = api_lab.run(), api_lab.run()
    eip = api_lab.ec2.allocate_address(Domain="vpc")
    where: Any = {"AllocationId": eip["AllocationId"]}
    api_lab.ec2.associate_address(**where, InstanceId=first)
    refused = api_refused(api_lab.ec2.associate_address, **where, InstanceId=second)
    assert refused == "Resource.AlreadyAssociated"
    api_lab.ec2.associate_address(**where, InstanceId=second, AllowReassociation=True)
    assert api_lab.state_eni(first).public == ()
    assert api_lab.state_eni(second).public[0][1] == eip["PublicIp"]
    assert api_refused(api_lab.ec2.release_address, **where) == "InvalidIPAddress.InUse"


def test_a_second_elastic_ip_replaces_the_first(api_lab: Lab) -> None:
    worker = api_lab.run()
    first, second = (api_lab.ec2.allocate_address(Domain="vpc") for _ in range(2))
    for eip in (first, second):
        api_lab.ec2.associate_address(AllocationId=eip["AllocationId"], InstanceId=worker)
    assert api_lab.state_eni(worker).public[0][1] == second["PublicIp"]
    api_lab.ec2.release_address(AllocationId=first["AllocationId"])


def test_an_elastic_ip_wants_one_interface_and_an_internet_gateway(
    api_lab: Lab, api_refused: Refused
) -> None:
    worker = api_lab.run()
    eni, _ = api_lab.second_eni(worker)
    associate = api_lab.ec2.associate_address
    where: Any = {"AllocationId": api_lab.ec2.allocate_address(Domain="vpc")["AllocationId"]}
    assert api_refused(associate, **where, InstanceId=worker) == "InvalidInstanceID"
    associate(**where, NetworkInterfaceId=eni)
    assert api_lab.state_eni(worker, 1).public
    _, subnet = api_lab.other_vpc()
    stranger = api_lab.run(SubnetId=subnet)
    where = {"AllocationId": api_lab.ec2.allocate_address(Domain="vpc")["AllocationId"]}
    assert api_refused(associate, **where, InstanceId=stranger) == "Gateway.NotAttached"


def test_a_created_key_pair_opens_the_instances_launched_with_it(api_lab: Lab, tmp_path: Path) -> None:
    name = f"created-{api_lab.vpc}"
    private = tmp_path / "key"
    private.touch(0o600)
    private.write_text(api_lab.ec2.create_key_pair(KeyName=name)["KeyMaterial"])
    worker = api_lab.run(KeyName=name)
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", private], capture_output=True, text=True, check=True
    ).stdout
    assert api_lab.state.instances[worker].public_key.split()[:2] == derived.split()[:2]
    api_lab.ec2.delete_key_pair(KeyName=name)
    assert api_lab.state.instances[worker].public_key.split()[2] == name


def test_an_imported_key_pair_opens_the_instances_launched_with_it(api_lab: Lab, tmp_path: Path) -> None:
    for kind in ("ed25519", "rsa"):
        private, name = tmp_path / kind, f"{kind}-{api_lab.vpc}"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", private], check=True)
        public = private.with_suffix(".pub").read_text()
        api_lab.ec2.import_key_pair(KeyName=name, PublicKeyMaterial=public.encode())
        worker = api_lab.run(KeyName=name)
        assert api_lab.state.instances[worker].public_key.split()[:2] == public.split()[:2]
    keyless = api_lab.run()
    assert api_lab.state.instances[keyless].public_key == ""


def test_a_key_pair_is_known_by_its_id(api_lab: Lab, api_refused: Callable[..., str]) -> None:
    ec2 = api_lab.ec2
    pairs = {name: ec2.create_key_pair(KeyName=f"{name}-{api_lab.vpc}")["KeyPairId"] for name in ("a", "b")}
    (found,) = ec2.describe_key_pairs(KeyPairIds=[pairs["b"]])["KeyPairs"]
    assert found["KeyName"] == f"b-{api_lab.vpc}"
    ec2.delete_key_pair(KeyPairId=pairs["b"])
    assert [pair["KeyPairId"] for pair in ec2.describe_key_pairs()["KeyPairs"]] == [pairs["a"]]
    assert api_refused(ec2.describe_key_pairs, KeyPairIds=[pairs["b"]]) == "InvalidKeyPair.NotFound"
    ec2.delete_key_pair(KeyPairId=pairs["b"])
