"""Which private keys to try on a host, and why one cannot be used."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kthw.observed import bounded_file
from kthw.observed.ssh import protocol
from kthw.observed.ssh.hop import Hop

DEFAULT: Final = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
"""Tried where ssh_config names none, as OpenSSH does."""
MOST: Final = 1 << 16
"""Bytes of a key file; an RSA key of 16384 bits takes 13 thousand."""


class UnusableKeyError(Exception):
    """``variant`` is ``missing``, ``permissions``, ``passphrase`` or ``format``."""

    def __init__(self, variant: str, detail: str) -> None:
        super().__init__(detail)
        self.variant = variant


@dataclass
class Keys:
    """The keys for one host: the one asked for, ssh_config's, the agent's, the default ones.

    ``unusable`` holds, once they were gone through, the files that could not be used. A missing one
    counts only when it is ``wish``, the file the user asked for.
    """

    hop: Hop
    wish: str = ""
    unusable: dict[str, UnusableKeyError] = field(default_factory=dict)

    def in_turn(self) -> Iterator[tuple[str, protocol.PrivateKey]]:
        """Each key with what to call it. Ends early when the wish cannot be met."""
        hop = self.hop
        named = list(dict.fromkeys(each for each in (self.wish, *hop.identity_files) if each))
        for path in named:
            try:
                yield path, key_of(path)
            except UnusableKeyError as problem:
                if problem.variant != "missing" or path == self.wish:
                    self.unusable[path] = problem
                # A locked key may be in the agent.
                if path == self.wish and problem.variant != "passphrase":
                    return
        if hop.agent:
            public = {_public_part(path) for path in named}
            with protocol.agent_keys() as keys:
                for comment, blob, key in keys:
                    if not hop.identities_only or blob in public:
                        yield f"agent: {comment}", key
        if not hop.identity_files:
            for path in DEFAULT:
                with contextlib.suppress(UnusableKeyError):
                    yield path, key_of(path)


def key_of(path: str) -> protocol.PrivateKey:
    """The private key in a file. Raises ``UnusableKeyError``."""
    try:
        file = Path(path).expanduser()
        state = file.stat()
        # A pipe or a gigabyte is refused here: paramiko would take it, and the certificate beside it.
        bounded_file.read(file, MOST)
        with contextlib.suppress(FileNotFoundError):
            bounded_file.read(Path(f"{file}-cert.pub"), MOST)
        # OpenSSH's own rule, so that what works here works there.
        if state.st_uid == os.getuid() and stat.S_IMODE(state.st_mode) & 0o077:
            raise UnusableKeyError(
                "permissions", f"others may read it (mode {stat.S_IMODE(state.st_mode):04o})"
            )
        return protocol.read_key(file, state.st_mtime_ns)
    except (FileNotFoundError, RuntimeError):  # the latter for ~nobody/key
        raise UnusableKeyError("missing", "no such file") from None
    except protocol.LockedKeyError as problem:
        raise UnusableKeyError("passphrase", "locked with a passphrase") from problem
    except ValueError as problem:
        raise UnusableKeyError("format", "no OpenSSH or PEM private key") from problem
    except OSError as problem:
        variant = "permissions" if isinstance(problem, PermissionError) else "format"
        raise UnusableKeyError(variant, (problem.strerror or str(problem)).lower()) from problem


def _public_part(path: str) -> bytes:
    """The public key beside a private key file, in wire format; empty where there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError, RuntimeError):
        # Bytes: the comment behind the key may be in any script, or in none.
        return base64.b64decode(bounded_file.read(Path(f"{path}.pub").expanduser(), MOST).split()[1])
    return b""
