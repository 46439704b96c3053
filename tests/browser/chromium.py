"""Chromium without a window, driven by its DevTools protocol over two pipes: no library is needed.

On Debian ``./run test`` installs it; elsewhere Google's Chrome does. The protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

PROGRAM: Final = shutil.which("chromium") or shutil.which("google-chrome")
INSTALL: Final = "no chromium and no google-chrome here; on Debian: sudo apt install chromium"
_SECONDS: Final = 60.0
_ON_3_AND_4: Final = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3])
os.dup2(read, 3), os.dup2(write, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Runs a program with two descriptors as its third and fourth, where the protocol is spoken."""


class Chromium:
    """One page in a browser of its own, with a profile in ``folder``; closed at the end of a ``with``."""

    def __init__(self, folder: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        arguments = [
            str(PROGRAM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--remote-debugging-pipe", "--no-first-run", f"--user-data-dir={folder}", "about:blank",
        ]  # fmt: skip
        through = [sys.executable, "-c", _ON_3_AND_4, str(to_read), str(to_write), *arguments]
        folder.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            through, pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": str(folder)},  # it leaves a folder there when it is stopped
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._heard = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self._session = ""
        page = next(
            each for each in self("Target.getTargets")["targetInfos"] if each["type"] == "page"
        )["targetId"]  # fmt: skip
        self._session = self("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self("Page.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=_SECONDS)
        os.close(self._write)
        os.close(self._read)

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call, and what it returns. Raises ``RuntimeError`` with what the browser says against it."""
        self._number += 1
        number = self._number
        asked: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        while True:
            said = self._message()
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return dict(said["result"])
            self._events.append(said)

    def open(self, file: Path, *, width: int = 1400, dark: bool = False, scripts: bool = True) -> None:
        """Show a file as a screen of that width does; below 500 pixels as a phone does."""
        self(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        scheme = "dark" if dark else "light"
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._events.clear()
        self("Page.navigate", url=file.resolve().as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self._events):
            self._events.append(self._message())

    def run(self, script: str) -> Any:
        """What an expression comes to, in the page."""
        done = self(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def picture(self, file: Path, *, height: int = 0, scale: float = 1) -> None:
        """A PNG or WebP of what is on the screen, or of the page as far down as ``height`` pixels."""
        part = {"x": 0, "y": 0, "width": self.run("innerWidth"), "height": height, "scale": scale}
        asked: dict[str, Any] = {"clip": part, "captureBeyondViewport": True} if height else {}
        shot = self("Page.captureScreenshot", format=file.suffix[1:], **asked)
        file.write_bytes(base64.b64decode(shot["data"]))

    def printed(self) -> bytes:
        """The page on A4, as a PDF."""
        printed = self("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])

    def _message(self) -> dict[str, Any]:
        until = time.monotonic() + _SECONDS
        while b"\0" not in self._heard:
            if not select.select([self._read], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(f"the browser said nothing for {_SECONDS:.0f} s")
            more = os.read(self._read, 1 << 20)
            if not more:
                raise EOFError("the browser ended")
            self._heard += more
        said, _, self._heard = self._heard.partition(b"\0")
        return dict(json.loads(said))
