"""The glossary as a page of the docs: ``python -m tests.verdict.glossary`` writes it in both languages.

The sentences are the catalogues', the drawings those of the report; as files, as a page of Markdown shows
no inline SVG.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kthw.verdict.glossary import DRAWN, drawn, term
from kthw.words.messages import LANGUAGES, catalogue

_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
_FILES: Final = {"en": "glossary.md", "pt-BR": "glossario.pt-BR.md"}
_TITLES: Final = {"en": "# Glossary", "pt-BR": "# Glossário"}
_STYLE: Final = (
    "<style>text{font:11px monospace;fill:#1c2530;text-anchor:middle}.faint{fill:#55606c;text-anchor:start}"
    "path{fill:#fff;stroke:#8fa0b2}.subnet{fill:#f0f4f8}.absent{stroke-dasharray:6 4}"
    ".line{fill:none;stroke:#00684a;stroke-width:2}.line.bad{stroke:#b3380b;stroke-dasharray:6 5}"
    "text.cross{fill:#b3380b;font-size:16px;font-weight:700}</style>"
)


def files() -> dict[Path, str]:
    """By path, what stands in it."""
    found = {}
    for language in LANGUAGES:
        words = catalogue(language)
        terms = sorted((term(key, words) for key in DRAWN), key=lambda each: each.name.casefold())
        parts = [_TITLES[language], words.say("glossary-page")]
        parts += [
            f"## {each.name}\n\n![{each.name}](pictures/glossary/{each.key}.svg)\n\n{each.means}"
            for each in terms
        ]
        found[_DOCS / _FILES[language]] = "\n\n".join(parts) + "\n"
    for key, row in DRAWN.items():
        picture = drawn(row, xmlns="http://www.w3.org/2000/svg")
        before, tag, after = picture.partition('">')
        found[_DOCS / "pictures" / "glossary" / f"{key}.svg"] = f"{before}{tag}{_STYLE}{after}\n"
    return found


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
