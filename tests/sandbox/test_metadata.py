"""Instance metadata: who is answered, what, and with or without a token."""

from __future__ import annotations

import pytest

from sandbox.metadata import Metadata
from sandbox.state import Eni, Instance, State, Vpc
from tests.sandbox.api_lab import Lab

WORKER = ("vpc-1", "10.0.1.20")
USER_DATA = b"name=worker-0|pod-cidr=10.200.0.0/24"


def told(**instance: object) -> Metadata:
    eni = Eni(id="eni-1", subnet="subnet-1", vpc="vpc-1", instance="i-1", index=0, addresses=("10.0.1.20",))
    worker = Instance(id="i-1", name="worker-0", running=True, user_data=USER_DATA, **instance)  # type: ignore[arg-type]
    metadata = Metadata()
    vpc = Vpc(id="vpc-1", cidrs=("10.0.0.0/16",))
    metadata.know(State(vpcs={vpc.id: vpc}, enis={eni.id: eni}, instances={worker.id: worker}))
    return metadata


@pytest.mark.parametrize(
    ("setting", "plain", "with_token"),
    [("optional", 200, 200), ("required", 401, 200), ("off", 403, 403)],
)
def test_a_token_is_asked_for_where_the_instance_says_so(setting: str, plain: int, with_token: int) -> None:
    metadata = told(metadata=setting)
    _, token = metadata.token(*WORKER)
    answers = [metadata.answer(*WORKER, "/latest/user-data/", each) for each in (None, token.decode())]
    assert [status for status, _ in answers] == [plain, with_token]
    assert all(body == (USER_DATA if status == 200 else b"") for status, body in answers)


@pytest.mark.parametrize("setting", ["optional", "required"])
def test_a_token_nobody_gave_is_refused(setting: str) -> None:
    assert told(metadata=setting).answer(*WORKER, "/latest/user-data", "made up") == (401, b"")


def test_others_are_told_nothing() -> None:
    """The same address in another VPC, and another address in the same one."""
    metadata = told()
    for asking in (("vpc-2", "10.0.1.20"), ("vpc-1", "10.0.1.21")):
        assert metadata.answer(*asking, "/latest/user-data", None) == (404, b"")


def test_a_folder_is_a_list() -> None:
    status, body = told().answer(*WORKER, "/latest/", None)
    assert (status, body) == (200, b"meta-data\nuser-data")


def test_a_change_of_the_options_leaves_those_it_does_not_name(api_lab: Lab) -> None:
    worker = api_lab.run()
    change = api_lab.ec2.modify_instance_metadata_options
    change(InstanceId=worker, HttpTokens="required")
    answer = change(InstanceId=worker, HttpEndpoint="enabled")
    assert answer["InstanceMetadataOptions"]["HttpTokens"] == "required"
    seen = api_lab.ec2.describe_instances(InstanceIds=[worker])["Reservations"][0]["Instances"][0]
    assert seen["MetadataOptions"]["HttpTokens"] == "required"
