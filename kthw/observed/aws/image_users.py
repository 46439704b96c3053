"""Whom the image of an instance lets in: asked of AWS only where a login was refused.

Source: the owners' documentation of their images. Where an owner changes the user from release to release,
the name decides.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from kthw.errors import JUMP, CouldNotLook, LookError
from kthw.observed.aws import listing
from kthw.observed.aws.inventory import in_time
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Instance, Inventory

_BY_NAME: Final = (
    (r"ubuntu", "ubuntu"),
    (r"debian", "admin"),
    (r"centos\W*(linux)?\W*[5-8]\b", "centos"),
    (r"centos", "ec2-user"),
    (r"rocky", "rocky"),
    (r"alma|rhel|red\W?hat|suse|sles|\bal2023|amzn|amazon\W?linux", "ec2-user"),
    (r"fedora.?coreos|flatcar", "core"),
    (r"fedora", "fedora"),
    (r"bitnami", "bitnami"),
    (r"\barch\W?linux", "arch"),
)
"""The first that a name reads like. Fedora's account has CentOS's images as well."""
_BY_OWNER: Final = {
    "099720109477": "ubuntu",
    "136693071363": "admin",
    "125523088429": "fedora",
    "137112412989": "ec2-user",
    "309956199498": "ec2-user",
    "764336703387": "ec2-user",
    "792107900819": "rocky",
}
"""Canonical, Debian, Fedora, Amazon Linux, Red Hat, AlmaLinux, Rocky Linux."""
_SAID: Final = re.compile(r'Please login as the user "([a-z_][a-z0-9_-]{0,31})" rather than the user "')
"""What the login of root says on images that have another user for people (cloud-init)."""


def image_user(name: str, owner: str) -> str:
    """The user that an image of that name and owner lets in; empty for one that nobody knows."""
    read = next((user for like, user in _BY_NAME if re.search(like, name, re.IGNORECASE)), "")
    return read or _BY_OWNER.get(owner, "")


def with_image_users(
    reader: Reader, inventory: Inventory, machines: Mapping[str, Instance], errors: tuple[LookError, ...]
) -> tuple[LookError, ...]:
    """``errors``, those of a refused login with the user to log in as: the fact ``image_user``.

    ``machines``: by name, those that were logged in to.

    One call, for all of them, and none where nobody was refused or root's own login said it. Where AWS does
    not say what an image is (it may be gone, or may not be asked for), the errors are as they were.
    """
    refused = [each for each in errors if each.code == "ssh-auth-failed"]
    by = {id(each): _instance(each, inventory, machines) for each in refused}
    ask = [by[id(each)] for each in refused if not _SAID.search(each.detail)]
    images = _images(reader, (each.image for each in ask if each and each.image))
    return tuple(_told(each, by[id(each)], images) if id(each) in by else each for each in errors)


def _images(reader: Reader, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """By id, the name and the user of each image that is known."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    try:
        found = in_time(reader, "images", lambda: listing.images(reader.ec2, wanted))
    except CouldNotLook:
        return {}
    return {each.image_id: (each.name, image_user(each.name, each.owner_id)) for each in found}


def _told(error: LookError, instance: Instance | None, images: dict[str, tuple[str, str]]) -> LookError:
    said = _SAID.search(error.detail)
    image, user = images.get(instance.image, ("", "")) if instance else ("", "")
    user = said[1] if said else user
    if not user or error.variant == "no-keys":
        return error
    facts = {**error.facts, "image_user": user, "image": image or "—"}
    if user == error.user:
        return replace(error, variant=error.variant if error.kind == JUMP else "key", facts=facts)
    *words, to = shlex.split(facts.get("login", "")) or [""]
    facts["to"] = f"{user}@{to.rpartition('@')[2]}"
    facts["login"] = shlex.join([*words, facts["to"]])
    return replace(error, variant="jump-user" if error.kind == JUMP else "user", facts=facts)


def _instance(error: LookError, inventory: Inventory, machines: Mapping[str, Instance]) -> Instance | None:
    """The one that refused: by the address that was dialled, whatever its name; else the worker's own.

    An address that is none of AWS's is ssh_config's for it, or the end of a tunnel. Of several with one
    private address, in VPCs of the same range, it is the worker's own where that has it.
    """
    own = None if error.kind == JUMP else machines.get(error.worker)
    known = [*([own] if own else []), *inventory.instances]
    return next((i for i in known if error.resource in {i.public_address, i.address} - {""}), own)
