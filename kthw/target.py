"""Where to look: passive data. Nothing in it can tell a sandbox from an account but its label."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2}", re.ASCII)
"""A region's name becomes part of a host's name: nothing else is taken for one."""
_NAMES_OF_LOOPBACK: Final = ("localhost", "localhost.localstack.cloud")


class SshAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How to log in to a worker: all of it optional but the user.

    ``config`` is an OpenSSH ``ssh_config`` file, ``key`` a private key file; the agent and the
    user's default keys are tried as well. ``accept_new`` records an unknown host key instead of
    refusing it (OpenSSH's ``StrictHostKeyChecking=accept-new``); a changed key is always refused.
    ``jump`` is ``[USER@]HOST[:PORT]``, through which every worker is reached, or empty; ``jump_address``
    is the public address of the instance that ``HOST`` names, where it names one.
    """

    user: str = "ubuntu"
    key: str = ""
    config: str = ""
    accept_new: bool = False
    jump: str = ""
    jump_address: str = ""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever the boto3 chain finds assumes to look. ``external_id``: empty where none is asked."""

    arn: str
    external_id: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """An AWS endpoint and a way in.

    ``endpoint``, ``region`` and ``profile`` are empty when boto3's own chain should find them.
    ``credentials`` is ``(access key id, secret)`` for a sandbox (whose API accepts anything) and
    ``None`` for an account: there the boto3 chain finds them and they are never stored.
    ``role``: whose rights are looked with, where it is not the found credentials' own.
    ``no_packets`` says why packets cannot be sent, in one sentence, or is empty when they can.
    """

    kind: Literal["sandbox", "aws"]
    endpoint: str = ""
    region: str = ""
    profile: str = ""
    credentials: tuple[str, str] | None = None
    role: Role | None = None
    ssh: SshAccess = SshAccess()
    no_packets: str = ""


def is_local(endpoint: str) -> bool:
    """Whether the host of the URL ``endpoint`` is this machine: what answers there is no account."""
    try:
        host = (urlsplit(endpoint).hostname or "").rstrip(".")
    except ValueError:
        return False
    if any(host == name or host.endswith(f".{name}") for name in _NAMES_OF_LOOPBACK):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
