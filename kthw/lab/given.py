"""What was asked for: typed, else by the environment, else by the lab file. The one place that merges them.

The environment wins over the file because it is the person's own and of this moment: whoever exports
``AWS_PROFILE`` or ``AWS_REGION`` means it, and ``AWS_REGION=… ./run routes`` is what we tell people to type.
A file that a class shares says where the lab is; whose account that must be (``expect-account``) nothing in
the environment can take back.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from kthw.intended import tutorial
from kthw.intended.cluster import BadNames
from kthw.intended.pod_cidrs import pod_cidrs
from kthw.lab.file import Lab, expanded, lab
from kthw.lab.values import check, of_option
from kthw.observed.ssh import names
from kthw.target import SshAccess, Target
from kthw.words.messages import Catalogue
from kthw.words.pasting import one_line

LAB: Final = "KTHW_LAB"
_OURS: Final[Mapping[str, str]] = MappingProxyType(
    {"ssh-config": "KTHW_SSH_CONFIG", "ssh-jump": "KTHW_SSH_JUMP", "lab": LAB}
)
"""By option, the variable that says the same."""
_AWS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "profile": ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"),
    }
)
"""What boto3 reads by itself. Keys of the environment count before a profile that a file names."""
_SECRET: Final = ("AWS_ACCESS_KEY_ID",)


def lab_named(typed: str | None, environment: Mapping[str, str], folder: Path) -> Lab:
    """The lab file of ``--lab``, of ``KTHW_LAB``, or of ``folder``; ``BadNames`` as ``kthw.lab.file.lab``."""
    return lab(typed or environment.get(LAB, ""), folder)


class Given:
    """``typed``: the value of an option (its name without the first hyphens), or ``None``; ``folder``: where
    the person is, which relative paths that were typed mean.
    """

    def __init__(
        self,
        typed: Callable[[str], Any],
        lab: Lab,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._typed = typed
        self._lab = lab
        self._environment = environment
        self._folder = folder

    def value(self, name: str) -> Any:
        """What was asked for, or ``None``; in the form that the option has. Nothing is checked."""
        return self._found(name)[0]

    def checked(self, name: str) -> str:
        """The same, or empty. Raises ``BadNames`` for what the option cannot have."""
        value, place = self._found(name)
        if value is None:
            return ""
        try:
            check(name, value)
        except BadNames as problem:
            problem.place = place
            raise
        return str(value)

    @contextlib.contextmanager
    def blamed(self, name: str) -> Iterator[None]:
        """Within it, a ``BadNames`` is about that option: it says where in the file, if it was there."""
        try:
            with of_option(name):
                yield
        except BadNames as problem:
            problem.place = problem.place or self._found(name)[1]
            raise

    def pod_cidrs(self, workers: tuple[str, ...], otherwise: dict[str, str]) -> dict[str, str]:
        """By worker; ``otherwise`` where nobody said any. Raises ``BadNames``."""
        said = self.value("pod-cidrs")
        if said is None:
            return otherwise
        with self.blamed("pod-cidrs"):
            return pod_cidrs(said, workers)

    def target(self, ssh: SshAccess | None = None) -> Target:
        """The account: what the environment says of it is boto3's to find. Raises ``BadNames``."""
        region, profile = (self._of_aws(name) for name in ("region", "profile"))
        return Target(kind="aws", region=region, profile=profile, ssh=ssh or SshAccess())

    def ssh(self) -> SshAccess:
        """The way in. Raises ``BadNames``, also for a file that is not there."""
        key = self.value("ssh-key")
        if key is None and (self._folder / tutorial.KEY_FILE).is_file():
            key = tutorial.KEY_FILE
        return SshAccess(
            user=self.checked("ssh-user") or tutorial.SSH_USER,
            key=self._file("ssh-key", key),
            config=self._file("ssh-config", self.value("ssh-config")),
            accept_new=bool(self.value("ssh-accept-new")),
            jump=self._jump(),
        )

    def path(self, name: str) -> Path:
        """As typed; ``~nobody`` stays as it is, and is a file that does not exist."""
        return self._folder / expanded(name)

    def told(self, words: Catalogue) -> list[str]:
        """Which file was used, for what, and what of it was not; nothing where there is none."""
        lab, say = self._lab, words.say
        if lab.file is None:
            return []
        used = [name for name in lab.values if not self._overruled(name)]
        how = "lab-named" if lab.named else "lab-found"
        lines = [say(how, file=str(lab.file), what=", ".join(used) or say("lab-nothing"))]
        for name, value in lab.values.items():
            by = self._overruled(name)
            if by:
                lines.append(say("lab-overruled", name=name, value=one_line(str(value)), by=by))
        return [*lines, *self.exported(words)]

    def exported(self, words: Catalogue) -> list[str]:
        """What a shell needs for our commands, where only the file says it: a line, or none."""
        said = {"AWS_PROFILE": self._of_aws("profile"), "AWS_REGION": self._of_aws("region")}
        each = [f"{name}={shlex.quote(value)}" for name, value in said.items() if value]
        return [words.say("lab-export", command=" ".join(["export", *each]))] if each else []

    def _of_aws(self, name: str) -> str:
        return str(self._lab.values.get(name, "")) if not self._outside(name) else ""

    def _file(self, name: str, file: str | None) -> str:
        if not file:
            return ""
        path = self.path(file)
        complaint = "run-unreadable-file" if path.is_file() else "run-no-such-file"
        if complaint == "run-unreadable-file" and os.access(path, os.R_OK):
            return str(path)
        raise self._refused(complaint, name, file)

    def _jump(self) -> str:
        value = self.value("ssh-jump") or ""
        try:
            names.jump("--ssh-jump", value or "none")
        except names.UnfitNameError as problem:
            raise self._refused("run-bad-jump", "ssh-jump", value) from problem
        return str(value)

    def _refused(self, complaint: str, name: str, value: str) -> BadNames:
        """About the option, the variable or the line of the file that says so."""
        place = self._found(name)[1]
        of_environment = place in _OURS.values()
        problem = BadNames(complaint, option=place if of_environment else f"--{name}", value=value)
        problem.place = "" if of_environment else place
        return problem

    def _found(self, name: str) -> tuple[Any, str]:
        """The value, and where it was said, empty where it was typed."""
        typed, variable = self._typed(name), _OURS.get(name, "")
        if typed is not None:
            return typed, ""
        if variable and self._environment.get(variable):
            return self._environment[variable], variable
        if name in self._lab.values:
            return self._lab.values[name], self._lab.place(name)
        return None, ""

    def _outside(self, name: str) -> str:
        """What says it instead of the file: an option or a variable; empty where nothing does."""
        if self._typed(name) is not None:
            return f"--{name}"
        for variable in (*filter(None, [_OURS.get(name)]), *_AWS.get(name, ())):
            value = self._environment.get(variable)
            if value:
                return variable if variable in _SECRET else f"{variable}={value}"
        return ""

    def _overruled(self, name: str) -> str:
        """The same, where that is not what the file says as well."""
        by = self._outside(name)
        same = by.partition("=")[2] == self._lab.values[name] or self._typed(name) == self._lab.values[name]
        return "" if same else by
