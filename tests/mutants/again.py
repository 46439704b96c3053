"""The mutants an earlier run left unnoticed, in a file: what is tried again once there are more tests."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.mutants.sources import Key


class Again:
    """``file``: a key a line, as JSON; where it is not there yet, or is none, every mutant is tried.

    Until ``done()`` what this run leaves stands beside it (``….part``), and the file is as it was: a run
    that is broken off takes nothing off the list.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._keys: set[Key] | None = None
        self._told: IO[str] | None = None
        if file and file.exists():
            lines = file.read_text(encoding="utf-8").splitlines()
            self._keys = {Key(**json.loads(line)) for line in lines}

    def __enter__(self) -> Again:
        if self._file:
            self._told = self._part(self._file).open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._told:
            self._told.close()

    @property
    def of_what_was_left(self) -> bool:
        """Whether only what an earlier run left is tried."""
        return self._keys is not None

    def __contains__(self, key: Key) -> bool:
        return self._keys is None or key in self._keys

    def survived(self, key: Key) -> None:
        """That one is left."""
        if self._told:
            print(json.dumps(key._asdict(), ensure_ascii=False), file=self._told, flush=True)

    def done(self) -> None:
        """All were tried: what is left is the list from now on."""
        if self._file:
            self._part(self._file).replace(self._file)

    @staticmethod
    def _part(file: Path) -> Path:
        return file.with_name(f"{file.name}.part")
