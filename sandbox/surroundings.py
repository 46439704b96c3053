"""The variables by which a terminal means a sandbox: what is exported, what must not be there.

The region stands in a configuration file of the sandbox's own, as it stands in a person's: so ``aws configure
set region``, ``AWS_DEFAULT_REGION`` and ``AWS_REGION`` do what they do at home, a variable that a tutorial
assigns without exporting it changes nothing, and the person's own files are neither read nor written.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

CREDENTIALS: Final = ("testing", "testing")
UNSET: Final = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "KTHW_TARGET",
)
"""What would lead ``aws``, boto3 or the suite elsewhere than into the sandbox, or elsewhere in it."""
_PROXY_EXCEPTIONS: Final = ("NO_PROXY", "no_proxy")
_KEPT: Final = "environment.json"


def furnish(directory: Path, endpoint: str, region: str, ssh_config: str) -> dict[str, str]:
    """Write what stands in files into the sandbox's ``directory``; the variables that are to be exported.

    ``ssh_config``: the way to the nodes, or empty. Raises ``OSError``.
    """
    folder = directory / "aws"
    folder.mkdir()
    folder.chmod(0o700)
    key, secret = CREDENTIALS
    _write(folder / "config", f"[default]\nregion = {region}\n")
    _write(
        folder / "credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    )
    exports = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_PAGER": "",
        # A proxy could not reach an endpoint of this machine's loopback.
        **{name: ",".join(filter(None, (os.environ.get(name), "127.0.0.1"))) for name in _PROXY_EXCEPTIONS},
        **({"KTHW_SSH_CONFIG": ssh_config} if ssh_config else {}),
    }
    _write(directory / _KEPT, json.dumps(exports))
    return exports


def kept(directory: Path) -> dict[str, str]:
    """What ``furnish`` returned there. Raises ``OSError``, of a sandbox that has ended."""
    found: dict[str, str] = json.loads((directory / _KEPT).read_text())
    return found


def lines(exports: Mapping[str, str], path: str, given: Mapping[str, str] | None = None) -> str:
    """What a shell reads to mean the sandbox; ``path``: what comes first on PATH; ``given``: what it has now,
    where that is known, and then it says no more than it must. Read again it changes nothing.

    In sh, bash, zsh and fish, and so in words that they have in common.
    """
    said = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    if given is None or not given.get("PATH", "").startswith(path):
        said.append(f'export PATH={shlex.quote(path)}:"$PATH"')
    wrong = [name for name in UNSET if given is None or name in given]
    return "\n".join([*said, *([f"unset {' '.join(wrong)}"] if wrong else [])]) + "\n"


def _write(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)
