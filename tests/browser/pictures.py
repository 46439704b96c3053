"""``python -m tests.browser.pictures``: the READMEs' pictures of a report, in either language, made anew."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from tests.browser.chromium import Chromium
from tests.browser.pages import page_of
from tests.plugin.conftest import PROJECT

_FILES: Final = {"en": "report.webp", "pt-BR": "report.pt-BR.webp"}
_WIDTH, _HEIGHT, _SCALE = 1200, 1100, 0.8
"""In the page's pixels, as far as the drawing of the network; and how much smaller the picture is."""


def main() -> None:
    """Look at what it wrote before it is committed."""
    for language, name in _FILES.items():
        with tempfile.TemporaryDirectory() as folder, Chromium(Path(folder) / "profile") as browser:
            browser.open(page_of("two-faults", language, Path(folder)), width=_WIDTH)
            browser.picture(PROJECT / "docs/pictures" / name, height=_HEIGHT, scale=_SCALE)


if __name__ == "__main__":
    main()
