"""Whom an image lets in, and what is said where a login was refused: asked of AWS only then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.errors import JUMP, CouldNotLook, LookError
from kthw.observed.aws import image_users
from kthw.observed.aws.image_users import image_user, with_image_users
from kthw.observed.evidence import Instance, Inventory
from kthw.words.messages import LANGUAGES, catalogue

DEBIAN = "136693071363"


@pytest.mark.parametrize(
    ("name", "owner", "user"),
    [
        ("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20251001", "099720109477", "ubuntu"),
        ("our golden image", "099720109477", "ubuntu"),
        ("debian-12-amd64-20250101-1", DEBIAN, "admin"),
        ("al2023-ami-2023.5-kernel-6.1-x86_64", "137112412989", "ec2-user"),
        ("amzn2-ami-hvm-2.0-x86_64-gp2", "137112412989", "ec2-user"),
        ("Deep Learning Base AMI (Ubuntu 22.04)", "898082745236", "ubuntu"),
        ("Fedora-Cloud-Base-40.x86_64", "125523088429", "fedora"),
        ("fedora-coreos-40.2024-x86_64", "125523088429", "core"),
        ("CentOS Stream 9 x86_64", "125523088429", "ec2-user"),
        ("CentOS 7.9.2009 x86_64", "125523088429", "centos"),
        ("CentOS Linux 8 x86_64", "125523088429", "centos"),
        ("RHEL-9.4.0_HVM-x86_64", "309956199498", "ec2-user"),
        ("Rocky-9-EC2-Base-9.4.x86_64", "792107900819", "rocky"),
        ("AlmaLinux OS 9.4 x86_64", "764336703387", "ec2-user"),
        ("our golden image", "123456789012", ""),
    ],
)
def test_the_user_is_the_one_of_the_image_s_name_or_owner(name: str, owner: str, user: str) -> None:
    assert image_user(name, owner) == user


class _Reader:
    """As much of the reader as a call needs: the client, which counts, and what errors say."""

    def __init__(self, images: Sequence[Any]) -> None:
        self.facts: dict[str, str] = {}
        self.refusal = None
        self.asked: list[list[str]] = []
        self._images = images
        self.ec2 = self

    def describe_images(self, *, ImageIds: list[str], IncludeDeprecated: bool) -> dict[str, Any]:  # noqa: N803 -- AWS's
        assert IncludeDeprecated
        self.asked.append(ImageIds)
        return {"Images": [each for each in self._images if each.get("ImageId") in ImageIds]}


def worker(number: int, image: str) -> Instance:
    return Instance(
        id=f"i-{number:02}",
        state="running",
        image=image,
        address=f"10.0.1.{number}",
        public_address=f"203.0.113.{number}",
    )


INVENTORY = Inventory(
    account="", region="", instances=(worker(20, "ami-1"), worker(21, "ami-1"), worker(5, "ami-2"))
)
MACHINES = {"worker-0": INVENTORY.instances[0], "worker-1": INVENTORY.instances[1]}
IMAGES = (
    {"ImageId": "ami-1", "Name": "debian-12-amd64", "OwnerId": DEBIAN},
    {"ImageId": "ami-2", "Name": "al2023-ami", "OwnerId": "137112412989"},
)


def refused(number: int, user: str = "ubuntu", detail: str = "keys tried", **fields: str) -> LookError:
    host = f"203.0.113.{number}"
    told: dict[str, str] = {"worker": f"worker-{number - 20}", "resource": host, **fields}
    facts = {"host": host, "user": user, "login": f"ssh -i k {user}@{host}"}
    return LookError(
        code="ssh-auth-failed", subject=told["worker"], detail=detail, user=user, facts=facts, **told
    )


def explained(*errors: LookError, images: Sequence[Any] = IMAGES) -> tuple[list[LookError], list[list[str]]]:
    reader: Any = _Reader(images)
    return list(with_image_users(reader, INVENTORY, MACHINES, errors)), reader.asked


def test_nobody_is_asked_where_nobody_was_refused() -> None:
    other = LookError(code="ssh-unreachable", subject="worker-0", worker="worker-0")
    assert explained(other) == ([other], [])


def test_refused_workers_cost_one_call_and_are_told_the_user_to_type() -> None:
    errors, asked = explained(refused(20), refused(21))
    assert asked == [["ami-1"]]
    for error in errors:
        assert error.variant == "user"
        for language in LANGUAGES:
            said = catalogue(language).error(error)
            assert "admin" in said.what
            assert "debian-12-amd64" in said.why
            assert "./run routes --target aws --ssh-user admin\n" in said.fix
            assert f"ssh -i k admin@{error.facts['host']}\n" in said.fix


def test_the_right_user_means_that_the_key_is_wrong() -> None:
    (error,), _ = explained(refused(20, user="admin"))
    assert error.variant == "key"
    assert "KeyName" in catalogue("en").error(error).fix


def test_a_jump_host_is_told_its_own_user() -> None:
    """By the address that was logged in at, and not by the worker behind it."""
    (error,), asked = explained(refused(5, worker="worker-0", kind=JUMP, variant="jump"))
    assert asked == [["ami-2"]]
    assert error.variant == "jump-user"
    assert "--ssh-jump ec2-user@203.0.113.5\n" in catalogue("en").error(error).fix


def test_a_host_of_ssh_config_s_is_the_worker_s_instance_unless_it_is_a_jump_host() -> None:
    """The end of a tunnel has no address of AWS's, and says nothing of whom it leads to."""
    (error,), asked = explained(refused(20, resource="127.0.0.1"))
    assert (asked, error.variant, error.facts["image_user"]) == ([["ami-1"]], "user", "admin")
    of_jump = refused(20, resource="127.0.0.1", kind=JUMP, variant="jump")
    assert explained(of_jump) == ([of_jump], [])


def test_of_two_with_one_private_address_the_worker_s_own_is_meant() -> None:
    """VPCs of the same range have the same addresses."""
    error = refused(21, resource="10.0.1.21")
    stranger = replace(INVENTORY.instances[2], address="10.0.1.21")
    inventory = replace(INVENTORY, instances=(stranger, *INVENTORY.instances))
    reader: Any = _Reader(IMAGES)
    (told,) = with_image_users(reader, inventory, MACHINES, (error,))
    assert (reader.asked, told.facts["image_user"]) == ([["ami-1"]], "admin")


def test_the_right_user_of_a_jump_host_is_no_word_about_the_key() -> None:
    (error,), _ = explained(refused(5, user="ec2-user", worker="worker-0", kind=JUMP, variant="jump"))
    assert (error.variant, error.facts["image_user"]) == ("jump", "ec2-user")


def test_root_s_own_login_says_it_and_nobody_is_asked() -> None:
    detail = 'Please login as the user "ec2-user" rather than the user "root".'
    (error,), asked = explained(refused(20, user="root", detail=detail, variant="no-commands"))
    assert asked == []
    assert (error.variant, error.facts["image_user"]) == ("user", "ec2-user")


@pytest.mark.parametrize("said", ["$(touch x)", "-oProxyCommand", "A B", "a" * 40])
def test_what_is_no_user_name_is_not_passed_on(said: str) -> None:
    detail = f'Please login as the user "{said}" rather than the user "root".'
    (error,), _ = explained(refused(20, user="root", detail=detail), images=())
    assert "image_user" not in error.facts


@pytest.mark.parametrize(
    "images", [(), ({"ImageId": "ami-1", "Name": 5},), ({"ImageId": "ami-1", "Name": "x"},)]
)
def test_an_image_that_tells_nothing_changes_nothing(images: Sequence[Any]) -> None:
    assert explained(refused(20), images=images)[0] == [refused(20)]


def test_a_refusal_of_aws_s_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CouldNotLook(LookError(code="access-denied", subject="images"))

    monkeypatch.setattr(image_users, "in_time", refuse)
    assert explained(refused(20))[0] == [refused(20)]
