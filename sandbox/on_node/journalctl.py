"""``journalctl``: what the services of a node have said, which is in files."""

from __future__ import annotations

from sandbox.on_node.speaking import put
from sandbox.on_node.units import units


def main(words: list[str]) -> int:
    """Of the units after ``-u``, or of all."""
    wanted = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-u", "--unit")]
    wanted += [word.partition("=")[2] for word in words if word.startswith("--unit=")]
    names = {name.partition(".service")[0].replace("sshd", "ssh") for name in wanted}
    lines = []
    for unit in units():
        if (not names or unit.name in names) and unit.log.exists():
            said = unit.log.read_text(encoding="utf-8", errors="replace").splitlines()
            lines += [f"{unit.name}: {line}" for line in said]
    put("\n".join(lines) or "-- No entries --")
    return 0
