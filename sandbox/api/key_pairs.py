"""Key pairs: the public half as a line of ``authorized_keys``."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.ec2.utils import public_key_parse


def openssh_line(pair: Any) -> str:
    """``TYPE BASE64 NAME`` of a key pair of moto's, empty for None.

    An imported key may be in another of the formats AWS takes (OpenSSH, or SSH2 of RFC 4716).
    """
    if pair is None:
        return ""
    key = public_key_parse(pair.material_public)
    encoded = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return f"{encoded} {pair.key_name}"
