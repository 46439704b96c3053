"""A person's own commands inside ``sandbox run``: ``ssh`` reaches the nodes, and a shell says where one is.

Every tutorial prints ``ssh -i kubernetes.id_rsa ubuntu@ADDRESS``, and so it is typed. ``ssh``, ``scp``,
``sftp`` and ``ssh-keyscan`` are therefore found first on PATH in ``sandbox.programs``'s folder: the person's
own programs, told to read ``sandbox.access``'s configuration before the person's. Whatever calls ``ssh`` by
name (rsync, git, ansible, ssh-copy-id) comes this way too; and it leads to the sandbox what has an address of
the sandbox's ranges or the name of a machine there, and nothing else.

A network namespace for the whole command, in which those addresses were real, would lead there curl and nc as
well. But it would cut off everything else: an ordinary user cannot join it to the host's network without a
program that is rarely installed (pasta, slirp4netns), and not even root can without changing the host's
interfaces and rules. ``pip``, ``git clone`` and the API on this machine's loopback would be gone. What is
dialled past these wrappers is an address that nobody has.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox import programs
from sandbox.surroundings import UNSET

MARK: Final = "(sandbox) "
"""How the prompt begins, in every language."""
_POSIX: Final = ("sh", "dash", "ash", "ksh", "mksh")
SHELLS: Final = (*_POSIX, "bash", "zsh", "fish")

_PROMPT: Final = f"""\
_kthw_prompt() {{ case $PS1 in *'{MARK}'*) ;; *) PS1='{MARK}'$PS1 ;; esac; }}
_kthw_prompt
"""
_BASH_PROMPT: Final = f"""{_PROMPT}\
# Whatever makes the prompt anew each time: ours comes after it.
if [ "$((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1]))" -ge 501 ]; then
    PROMPT_COMMAND+=(_kthw_prompt)
else
    PROMPT_COMMAND="${{PROMPT_COMMAND:-}}"$'\\n'_kthw_prompt
fi
"""
_ZSH_PROMPT: Final = f"{_PROMPT}precmd_functions+=(_kthw_prompt)\n"
_FISH_PROMPT: Final = f"""\
functions --query fish_prompt; and functions --copy fish_prompt _kthw_prompt
function fish_prompt; echo -n '{MARK}'; functions --query _kthw_prompt; and _kthw_prompt; or echo '> '; end
"""


@dataclass(frozen=True)
class Shell:
    """``command`` and ``environment`` to start; ``is_interactive`` when it is a shell to type into."""

    command: list[str]
    environment: dict[str, str]
    is_interactive: bool


def dressed(
    command: list[str],
    directory: Path,
    given: Mapping[str, str],
    environment: Mapping[str, str],
) -> Shell:
    """``command`` in the sandbox of ``directory``: ``given`` is the environment we were started with,
    ``environment`` is what leads into the sandbox.

    A shell is started with the person's own settings, then with these again: a ``.bashrc`` that says
    ``export AWS_PROFILE=…`` would lead out. Raises ``OSError`` when the files cannot be written.
    """
    kept = {name: value for name, value in given.items() if name not in UNSET}
    path = given.get("PATH", os.defpath)
    first = programs.wrapped(directory, path)
    inside = {**kept, **environment, "PATH": f"{first}:{path}"}
    kind = Path(command[0]).name
    if kind not in SHELLS or command[1:] not in ([], ["-i"]):
        return Shell(command, inside, is_interactive=False)
    again = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    again = f"unset {' '.join(UNSET)}\n{again}export PATH={shlex.quote(first)}:$PATH\n"
    if kind == "bash":
        # /etc/bash.bashrc, where there is one, bash reads by itself.
        rc = _write(directory / "bashrc", f"[ ! -r ~/.bashrc ] || . ~/.bashrc\n{again}{_BASH_PROMPT}")
        command = [command[0], "--rcfile", str(rc), *command[1:]]
    elif kind == "zsh":
        own = shlex.quote(given.get("ZDOTDIR") or given.get("HOME", "/"))
        ours = _folder(directory / "zsh")
        back = f"ZDOTDIR={shlex.quote(str(ours))}\n"
        _write(ours / ".zshenv", f"ZDOTDIR={own}\n[ ! -r {own}/.zshenv ] || . {own}/.zshenv\n{back}")
        own_rc = f"ZDOTDIR={own}\n[ ! -r {own}/.zshrc ] || . {own}/.zshrc\n"
        _write(ours / ".zshrc", f"{own_rc}{again}{_ZSH_PROMPT}")
        inside["ZDOTDIR"] = str(ours)
    elif kind == "fish":
        lines = [f"set -e {name}" for name in UNSET]
        lines += [f"set -gx {name} {_fish(value)}" for name, value in environment.items()]
        lines.append(f"set -gx PATH {' '.join(map(_fish, first.split(':')))} $PATH")
        command = [command[0], "--init-command", "\n".join([*lines, _FISH_PROMPT]), *command[1:]]
    else:
        own = given.get("ENV", "")
        theirs = f"[ ! -r {shlex.quote(own)} ] || . {shlex.quote(own)}\n" if own else ""
        inside["ENV"] = str(_write(directory / "shrc", f"{theirs}{again}{_PROMPT}"))
    return Shell(command, inside, is_interactive=True)


def _folder(path: Path) -> Path:
    path.mkdir()
    path.chmod(0o700)
    return path


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
