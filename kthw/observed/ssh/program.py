"""The program that a worker runs for us: the command that starts it, and its text, which follows on stdin."""

from __future__ import annotations

import json
import shlex
from importlib import resources
from typing import Final

from kthw.observed import agent

NO_PYTHON: Final = 90
NO_SUDO: Final = 91
OLD_PYTHON: Final = "kthw: python3 is "
"""How the command ends where it cannot start the program: by exit status, or by what it says."""
_SCRIPT: Final = (
    f"command -v python3 >/dev/null || exit {NO_PYTHON}; "
    'if [ "$(id -u)" = 0 ]; then exec python3 -u -c "$1"; fi; '
    f"command -v sudo >/dev/null || exit {NO_SUDO}; "
    # We read what sudo says.
    'export LC_ALL=C; exec sudo -n python3 -u -c "$1"'
)
_BOOTSTRAP: Final = (
    "import sys;"
    f'sys.version_info<(3,7) and sys.exit("{OLD_PYTHON}"+sys.version.split()[0]);'
    'f=open(0,"rb",0,closefd=False);n=int(f.readline());b=b"";'
    'exec("while len(b)<n:b+=f.read(n-len(b)) or sys.exit(0)");'
    'exec(compile(b,"kthw","exec"))'
)
COMMAND: Final = f"exec sh -c {shlex.quote(_SCRIPT)} kthw {shlex.quote(_BOOTSTRAP)}"
"""What the login shell on the worker is asked to run; the program follows on its standard input."""


def program() -> bytes:
    """The agent's modules as one program."""
    package = resources.files(agent)
    modules = [
        (f"{agent.__name__}.{name}", package.joinpath(f"{name}.py").read_text(encoding="utf-8"))
        for name in agent.SOURCES
    ]
    return (
        "import json, sys, types\n"
        f"for name, source in json.loads({json.dumps(modules)!r}):\n"
        "    module = sys.modules[name] = types.ModuleType(name)\n"
        "    exec(compile(source, name, 'exec'), module.__dict__)\n"
        "module.main()\n"
    ).encode()
