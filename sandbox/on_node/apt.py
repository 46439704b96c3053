"""``apt-get``, ``apt``, ``yum``, ``dnf``: a node's programs are this computer's, and it installs none."""

from __future__ import annotations

import shutil
import subprocess

from sandbox.on_node.speaking import put, tell

_REFUSED = 100
"""What apt-get ends with where it could not do it."""
_HARMLESS = ("update", "upgrade", "full-upgrade", "dist-upgrade", "clean", "autoclean", "autoremove")
_HARMLESS_OF_YUM = ("makecache", "check-update")
_WITH_A_VALUE = ("-o", "-t", "-c")


def main(words: list[str]) -> int:
    """Says what is here already and what is not, and how what is not gets here."""
    plain, skip = [], False
    for word in words:
        if not skip and not word.startswith("-"):
            plain.append(word)
        skip = word in _WITH_A_VALUE and not skip
    verb, *packages = plain or ["help"]
    if verb in (*_HARMLESS, *_HARMLESS_OF_YUM):
        tell("node-nothing-fetched", verb=verb)
        return 0
    if verb not in ("install", "reinstall") or not packages:
        tell("node-nothing-changed", verb=" ".join(plain) or verb)
        return _REFUSED
    missing = []
    for package in packages:
        version = _version(package)
        if version is None:
            missing.append(package)
        else:
            put(f"{package} is already the newest version ({version}).")
    if missing:
        tell("node-not-installed", packages=" ".join(missing))
        return _REFUSED
    return 0


def _version(package: str) -> str | None:
    """The version that this computer has of it, or None."""
    shown = "--showformat=${db:Status-Status} ${Version}"
    asked = ["dpkg-query", "--show", shown, package.partition("=")[0]]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return "?" if shutil.which(package) else None
    status, _, version = done.stdout.partition(" ")
    return version if status == "installed" else None
