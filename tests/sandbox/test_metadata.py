"""Instance metadata: who is answered, what, and with or without a token."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from sandbox.metadata import Metadata
from sandbox.metadata_tree import VERSIONS
from sandbox.state import Eni, Instance, Launch, SecurityGroup, State, Subnet, Vpc
from tests.sandbox.api_lab import Lab

WORKER = ("vpc-1", "10.0.1.20")
USER_DATA = b"name=worker-0|pod-cidr=10.200.0.0/24"


def told(**instance: object) -> Metadata:
    eni = Eni(
        id="eni-0a1b2c3d", subnet="subnet-1", vpc="vpc-1", instance="i-1", index=0, addresses=("10.0.1.20",),
        public=(("10.0.1.20", "203.0.113.4"),), security_groups=("sg-1",),
    )  # fmt: skip
    second = replace(eni, id="eni-0e4f5a6b", index=1, addresses=("10.0.1.78", "10.0.1.79"), public=())
    launch = Launch(
        image_id="ami-1", key_name="kubernetes", owner="123456789012", time="2026-11-26T18:00:00Z"
    )
    worker = Instance(id="i-1", name="worker-0", running=True, user_data=USER_DATA, launch=launch, **instance)  # type: ignore[arg-type]
    stranger = Instance(id="i-2", name="worker-1", running=True)
    others = replace(eni, id="eni-3", instance="i-2", addresses=("10.0.1.30",), public=())
    metadata = Metadata()
    metadata.know(
        State(
            vpcs={"vpc-1": Vpc("vpc-1", ("10.0.0.0/16", "10.9.0.0/16"), names_public=True)},
            subnets={"subnet-1": Subnet("subnet-1", "vpc-1", "10.0.1.0/24", "rtb-1", "acl-1")},
            enis={each.id: each for each in (eni, second, others)},
            instances={each.id: each for each in (worker, stranger)},
            security_groups={"sg-1": SecurityGroup("sg-1", "vpc-1", name="kubernetes")},
        )
    )
    return metadata


def asked(metadata: Metadata, path: str) -> str:
    status, body = metadata.answer(*WORKER, f"/latest/{path}", None)
    return body.decode() if status == 200 else str(status)


@pytest.mark.parametrize(
    ("setting", "plain", "with_token"),
    [("optional", 200, 200), ("required", 401, 200), ("off", 403, 403)],
)
def test_a_token_is_asked_for_where_the_instance_says_so(setting: str, plain: int, with_token: int) -> None:
    metadata = told(metadata=setting)
    _, token = metadata.token(*WORKER, "60")
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
    assert (status, body) == (200, b"dynamic\nmeta-data\nuser-data")


_MACS = "network/interfaces/macs"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("meta-data/ami-id", "ami-1"),
        ("meta-data/hostname", "ip-10-0-1-20.ec2.internal"),
        ("meta-data/public-hostname", "ec2-203-0-113-4.compute-1.amazonaws.com"),
        ("meta-data/public-ipv4", "203.0.113.4"),
        ("meta-data/mac", "06:00:0a:1b:2c:3d"),
        ("meta-data/instance-type", "t3.micro"),
        ("meta-data/security-groups", "kubernetes"),
        ("meta-data/placement/", "availability-zone\navailability-zone-id\nregion"),
        ("meta-data/placement/availability-zone", "us-east-1a"),
        (f"meta-data/{_MACS}/", "06:00:0a:1b:2c:3d/\n06:00:0e:4f:5a:6b/"),
        (f"meta-data/{_MACS}/06:00:0e:4f:5a:6b/device-number", "1"),
        (f"meta-data/{_MACS}/06:00:0e:4f:5a:6b/local-ipv4s", "10.0.1.78\n10.0.1.79"),
        (f"meta-data/{_MACS}/06:00:0e:4f:5a:6b/public-ipv4s", "404"),
        (f"meta-data/{_MACS}/06:00:0a:1b:2c:3d/interface-id", "eni-0a1b2c3d"),
        (f"meta-data/{_MACS}/06:00:0a:1b:2c:3d/subnet-ipv4-cidr-block", "10.0.1.0/24"),
        (f"meta-data/{_MACS}/06:00:0a:1b:2c:3d/vpc-ipv4-cidr-blocks", "10.0.0.0/16\n10.9.0.0/16"),
        (f"meta-data/{_MACS}/06:00:0a:1b:2c:3d/ipv4-associations/203.0.113.4", "10.0.1.20"),
        ("meta-data/public-keys/", "0=kubernetes"),
        ("meta-data/public-keys/0/", "openssh-key"),
        ("meta-data/public-keys/0/openssh-key", "ssh-rsa AAAA"),
        ("dynamic/instance-identity/", "document"),
        ("dynamic/", "instance-identity/"),
        ("meta-data/iam/info", "404"),
        ("meta-data/tags/instance/Name", "404"),
        ("nonsense", "404"),
    ],
)
def test_the_tree_that_people_walk_is_there(path: str, body: str) -> None:
    assert asked(told(public_key="ssh-rsa AAAA"), path) == body


def test_every_page_of_the_index_leads_on() -> None:
    """From the top down, by what each page lists: no name in it is a dead end."""
    metadata = told(public_key="ssh-rsa AAAA")
    seen, ahead = 0, ["meta-data/", "dynamic/"]
    while ahead:
        page = ahead.pop()
        names = asked(metadata, page).split("\n")
        assert names != ["404"], page
        if page.endswith("/"):
            ahead += [f"{page}{name.replace('=kubernetes', '/')}" for name in names]
        seen += 1
    assert seen > 50
    assert metadata.answer(*WORKER, "/", None) == (200, "\n".join(VERSIONS).encode())
    assert metadata.answer(*WORKER, "/2021-07-15/meta-data/ami-id", None) == (200, b"ami-1")
    assert metadata.answer(*WORKER, "/1999-01-01/meta-data/ami-id", None)[0] == 404


def test_the_identity_document_says_where_it_is_and_what() -> None:
    document = json.loads(asked(told(), "dynamic/instance-identity/document"))
    known = {
        key: document[key] for key in ("accountId", "region", "availabilityZone", "privateIp", "instanceId")
    }
    assert known == {
        "accountId": "123456789012", "region": "us-east-1", "availabilityZone": "us-east-1a",
        "privateIp": "10.0.1.20", "instanceId": "i-1",
    }  # fmt: skip


def test_tags_are_told_where_the_instance_says_so() -> None:
    metadata = told(tags=(("Name", "worker-0"), ("pod_cidr", "10.200.0.0/24")))
    assert asked(metadata, "meta-data/tags/instance/") == "Name\npod_cidr"
    assert asked(metadata, "meta-data/tags/instance/pod_cidr") == "10.200.0.0/24"


@pytest.mark.parametrize("lifetime", [None, "", "0", "21601", "-1", "an hour"])
def test_a_token_has_a_lifetime_of_up_to_six_hours(lifetime: str | None) -> None:
    assert told().token(*WORKER, lifetime) == (400, b"")


def test_a_token_ends_and_is_its_own_instance_s(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = told(metadata="required")
    _, token = metadata.token(*WORKER, "60")
    _, strangers = metadata.token("vpc-1", "10.0.1.30", "60")
    assert metadata.answer(*WORKER, "/latest/user-data", strangers.decode())[0] == 401
    assert metadata.answer("vpc-1", "10.0.1.78", "/latest/user-data", token.decode())[0] == 200
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert metadata.answer(*WORKER, "/latest/user-data", token.decode())[0] == 401


def test_a_change_of_the_options_leaves_those_it_does_not_name(api_lab: Lab) -> None:
    worker = api_lab.run()
    change = api_lab.ec2.modify_instance_metadata_options
    change(InstanceId=worker, HttpTokens="required")
    answer = change(InstanceId=worker, HttpEndpoint="enabled")
    assert answer["InstanceMetadataOptions"]["HttpTokens"] == "required"
    seen = api_lab.ec2.describe_instances(InstanceIds=[worker])["Reservations"][0]["Instances"][0]
    assert seen["MetadataOptions"]["HttpTokens"] == "required"
