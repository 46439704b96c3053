"""A person's own programs, told where the sandbox is: a folder of wrappers that comes first on PATH.

``ssh``, ``scp``, ``sftp`` and ``ssh-keyscan`` reach the sandbox's machines (``sandbox.shell`` says why so).
``aws`` takes ``AWS_REGION`` for what it says, as its second version does: the first, which is ours, does not
read it, and the suite does. ``curl``, ``wget`` and ``dig`` are the person's, but for one question, the answer
to which people put into a security group's rule: what is my address? Those who tell it are on the internet,
and what they tell is not the address that a login comes from in the sandbox.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sandbox.access import SHELL_CONFIG
from sandbox.internet import LAPTOP

_KEYSCAN: Final = Path(__file__).with_name("keyscan.py")
_TELLERS: Final = (
    "checkip.amazonaws.com", "ifconfig.me", "ifconfig.me/ip", "ifconfig.co", "ifconfig.co/ip", "ifconfig.io",
    "ifconfig.io/ip", "icanhazip.com", "ipv4.icanhazip.com", "api.ipify.org", "ipinfo.io/ip", "eth0.me",
    "ident.me", "v4.ident.me", "4.ident.me", "ip.me", "ipecho.net/plain", "myip.dnsomatic.com",
    "whatismyip.akamai.com", "wtfismyip.com/text", "ipv4.wtfismyip.com/text", "api.my-ip.io/ip",
    "inet-ip.info", "l2.io/ip", "diagnostic.opendns.com/myip", "api.seeip.org",
)  # fmt: skip
"""Who answers with the address and no more."""
_TELLERS_IN_JSON: Final = (
    "ipinfo.io", "ipinfo.io/json", "ifconfig.co/json", "api.ipify.org?format=json", "ifconfig.me/all.json",
    "httpbin.org/ip", "wtfismyip.com/json", "api.myip.com",
)  # fmt: skip
_SSH: Final = """\
#!/bin/sh
exec @real@ -F @config@ "$@"
"""
_SSH_KEYSCAN: Final = """\
#!/bin/sh
exec @keyscan@ @real@ @ssh@ "$@"
"""
"""It knows no configuration and no ProxyCommand."""
_AWS: Final = """\
#!/bin/sh
[ -z "${AWS_REGION:-}" ] || export AWS_DEFAULT_REGION="$AWS_REGION"
exec @real@ "$@"
"""
_CURL: Final = """\
#!/bin/sh
for word; do
    shift
    case $word in
    @plain@) word=@url@ ;;
    @json@) word=@url@.json ;;
    esac
    set -- "$@" "$word"
done
exec @real@ "$@"
"""
_WGET: Final = """\
#!/bin/sh
told= to= next=
for word; do
    [ -z "$next" ] || to=$word
    next=
    case $word in
    @plain@) told=@address@ ;;
    @json@) told=@address@.json ;;
    --output-document=*) to=${word#*=} ;;
    --*) ;;
    -*O) next=yes ;;
    -*O-) to=- ;;
    esac
done
[ -n "$told" ] || exec @real@ "$@"
case $to in -) exec cat "$told" ;; *) exec cp "$told" "${to:-index.html}" ;; esac
"""
_DIG: Final = """\
#!/bin/sh
case " $* " in
*\\ myip.opendns.com[\\ .]* | *\\ whoami.akamai.net[\\ .]*) exec cat @address@ ;;
*\\ o-o.myaddr.l.google.com[\\ .]* | *\\ whoami.cloudflare[\\ .]*) exec cat @address@.txt ;;
esac
exec @real@ "$@"
"""
_SCRIPTS: Final = {
    "ssh": _SSH,
    "scp": _SSH,
    "sftp": _SSH,
    "ssh-keyscan": _SSH_KEYSCAN,
    "aws": _AWS,
    "curl": _CURL,
    "wget": _WGET,
    "dig": _DIG,
}


def wrapped(directory: Path, path: str) -> str:
    """What comes first on PATH: a folder in the sandbox's ``directory`` with those on ``path``, and that
    of this interpreter, so that ``python`` and ``pytest`` are ours. Raises ``OSError``."""
    folder, own = directory / "bin", Path(sys.executable).parent
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o700)
    address = directory / "address"
    _write(address, f"{LAPTOP}\n", 0o600)
    _write(address.with_suffix(".json"), f"{json.dumps({'ip': LAPTOP, 'origin': LAPTOP})}\n", 0o600)
    _write(address.with_suffix(".txt"), f'"{LAPTOP}"\n', 0o600)
    told = {
        "config": shlex.quote(str(directory / SHELL_CONFIG)),
        "keyscan": shlex.join([sys.executable, "-I", "-S", str(_KEYSCAN)]),
        "ssh": shlex.quote(str(folder / "ssh")),
        "address": shlex.quote(str(address)),
        "url": shlex.quote(address.as_uri()),
        "plain": _urls(_TELLERS),
        "json": _urls(_TELLERS_IN_JSON),
    }
    # Behind the wrappers: whoever asks may have them first on PATH already.
    behind = ":".join([str(own), *(each for each in path.split(":") if each != str(folder))])
    for name, script in _SCRIPTS.items():
        real = shutil.which(name, path=behind)
        if real:
            for key, value in {**told, "real": shlex.quote(real)}.items():
                script = script.replace(f"@{key}@", value)
            _write(folder / name, script, 0o700)
    return f"{folder}:{own}"


def _urls(tellers: Iterable[str]) -> str:
    """The forms in which people type them, as patterns of the shell's ``case``."""
    forms = (f"{scheme}{each}" for each in tellers for scheme in ("", "http://", "https://"))
    return " | ".join(f"'{form}' | '{form}/'" for form in forms)


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all: another terminal may be reading it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(mode)
    fresh.chmod(mode)
    fresh.write_text(text)
    fresh.replace(path)
