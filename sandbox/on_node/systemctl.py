"""``systemctl`` and ``service`` on a machine without systemd: sshd, and units that people write, for real."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.on_node.speaking import put, say, tell
from sandbox.on_node.units import Unit, UnitError, units

_NEXT = ("start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "enable", "disable")
_NOTHING = ("daemon-reload", "daemon-reexec", "reset-failed")
_POWER = ("reboot", "poweroff", "halt", "shutdown")
_ID = Path("/var/lib/cloud/data/instance-id")


def main(words: list[str]) -> int:
    """As systemctl(1) answers, as far as there is an answer here."""
    options = [word for word in words if word.startswith("-")]
    verb, *names = [word for word in words if not word.startswith("-")] or ["list-units"]
    if verb in _POWER:
        return power(verb)
    if verb in _NOTHING:
        tell("node-no-systemd", verb=verb)
        return 0
    if verb in ("list-units", "list-unit-files"):
        for unit in units():
            put(f"{unit.name}.service  {'enabled' if unit.is_enabled else 'disabled'}  {_active(unit)}")
        tell("node-units-listed")
        return 0
    if verb in ("is-active", "is-failed", "is-enabled", "status", "cat", "show"):
        return max([_ask(verb, Unit(name)) for name in names], default=1)
    if verb not in _NEXT:
        tell("node-no-such-verb", verb=verb)
        return 1
    if os.geteuid():
        put(f"Failed to {verb} {' '.join(names)}: Access denied")
        return 1
    return max([_act(verb, Unit(name), now="--now" in options) for name in names], default=1)


def boot() -> int:
    """Start what is enabled, as a machine does that starts."""
    enabled = [unit for unit in units() if unit.is_enabled and not unit.is_ssh]
    return max([_act("start", unit, now=False) for unit in enabled], default=0)


def service(words: list[str]) -> int:
    """``service NAME VERB``."""
    return main([*words[1:2], *words[:1]])


def power(verb: str) -> int:
    """A machine is ended from outside here, by the API."""
    identifier = _ID.read_text(encoding="utf-8").strip()
    call = "reboot-instances" if verb == "reboot" else "stop-instances"
    tell("node-power", command=f"aws ec2 {call} --instance-ids {identifier}")
    return 1


def _active(unit: Unit) -> str:
    return "active" if unit.pid or unit.is_done else "inactive"


def _ask(verb: str, unit: Unit) -> int:
    if not unit.exists:
        if verb.startswith("is-"):
            put("not-found" if verb == "is-enabled" else "inactive")
        else:
            put(f"Unit {unit.name}.service could not be found.")
        return 4
    if verb == "is-enabled":
        put("enabled" if unit.is_enabled else "disabled")
        return 0 if unit.is_enabled else 1
    if verb.startswith("is-"):
        put(_active(unit))
        return 0 if (_active(unit) == "active") == (verb == "is-active") else 3
    if verb == "cat":
        put(say("node-ssh-unit") if unit.is_ssh else unit.file.read_text(encoding="utf-8", errors="replace"))
        return 0
    running = f"({'running' if unit.pid else 'exited' if unit.is_done else 'dead'})"
    where = say("node-ssh-unit") if unit.is_ssh else str(unit.file)
    put(f"● {unit.name}.service")
    put(f"     Loaded: loaded ({where}; {'enabled' if unit.is_enabled else 'disabled'})")
    put(f"     Active: {_active(unit)} {running}")
    if unit.pid:
        put(f"   Main PID: {unit.pid}")
    if unit.log.exists():
        put("")
        put("\n".join(unit.log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]))
    return 0 if _active(unit) == "active" else 3


def _act(verb: str, unit: Unit, *, now: bool) -> int:
    if not unit.exists:
        put(f"Failed to {verb} {unit.name}.service: Unit {unit.name}.service not found.")
        tell("node-no-unit", unit=unit.name)
        return 5
    try:
        if verb in ("enable", "disable"):
            _enable(unit, verb)
            if now:
                (unit.start if verb == "enable" else unit.stop)()
            return 0
        if verb == "reload":
            unit.reload()
            return 0
        if verb in ("stop", "restart", "try-restart", "reload-or-restart"):
            unit.stop()
        if verb != "stop":
            unit.start()
    except UnitError as problem:
        put(f"Job for {unit.name}.service failed because the control process exited with error code.")
        tell("node-unit-failed", unit=unit.name, detail=str(problem))
        return 1
    return 0


def _enable(unit: Unit, verb: str) -> None:
    for link in unit.wants:
        if verb == "enable" and not link.exists():
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(unit.file)
            put(f"Created symlink {link} → {unit.file}.")
        elif verb == "disable" and link.is_symlink():
            link.unlink()
            put(f"Removed {link}.")
