"""Key pairs: by name and by id, and the public half as a line of ``authorized_keys``."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.core.responses import ActionResult
from moto.ec2.responses.key_pairs import KeyPairs
from moto.ec2.utils import public_key_parse

from sandbox.api.refusals import Refusal


class KeyPairRequests(KeyPairs):
    """DeleteKeyPair and DescribeKeyPairs take ids, too (EC2 API Reference)."""

    def delete_key_pair(self) -> ActionResult:
        identifier = self._get_param("KeyPairId")
        if identifier and not self._get_param("KeyName"):
            # One that is not there is as good as deleted, as by name.
            self.params["KeyName"] = self._names().get(identifier, "")
        return super().delete_key_pair()

    def describe_key_pairs(self) -> ActionResult:
        names = self._names()
        for identifier in self._get_param("KeyPairIds", []):
            if identifier not in names:
                raise Refusal("InvalidKeyPair.NotFound", f"The key pair ID '{identifier}' does not exist")
            self.params["KeyNames"] = [*self._get_param("KeyNames", []), names[identifier]]
        return super().describe_key_pairs()

    def _names(self) -> dict[str, str]:
        return {pair.id: pair.key_name for pair in self.ec2_backend.key_pairs.values()}


def openssh_line(pair: Any) -> str:
    """``TYPE BASE64 NAME`` of a key pair of moto's, empty for None.

    An imported key may be in another of the formats AWS takes (OpenSSH, or SSH2 of RFC 4716).
    """
    if pair is None:
        return ""
    key = public_key_parse(pair.material_public)
    encoded = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return f"{encoded} {pair.key_name}"
