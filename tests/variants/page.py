"""The variants as a page: ``python -m tests.variants.page`` writes it in both languages."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.variants.shape import Shape, Variant
from tests.variants.shapes import SHAPES
from tests.variants.variants import VARIANTS

_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
_BY_NAME: Final = {shape.name: shape for shape in SHAPES}
_COMMAND: Final = "./run routes --target aws"


@dataclass(frozen=True, kw_only=True)
class Page:
    """``template``: the file beside this module; ``file``: what is written of it, in ``docs``."""

    language: str
    template: str
    file: str
    heads: tuple[str, ...]
    green: str
    all_workers: str
    of_a_plugin: str
    silent: str
    count: str


PAGES: Final = (
    Page(
        language="en",
        template="page.en.md",
        file="variants.md",
        heads=("variant", "what is built", "what to type", "what is said"),
        green="all holds",
        all_workers="each worker",
        of_a_plugin="; the routes are {plugin}'s business",
        silent=", and no packets are sent",
        count="{built} of {all} are built and judged as this page says, in {shapes} shapes.",
    ),
    Page(
        language="pt-BR",
        template="page.pt-BR.md",
        file="variantes.pt-BR.md",
        heads=("variante", "o que se monta", "o que digitar", "o que se lê"),
        green="tudo vale",
        all_workers="cada worker",
        of_a_plugin="; as rotas são assunto do {plugin}",
        silent=", e não se enviam pacotes",
        count="{built} de {all} são montadas e julgadas como diz esta página, em {shapes} formas.",
    ),
)


def path_of(page: Page) -> Path:
    return _DOCS / page.file


def written(page: Page) -> str:
    """The whole page."""
    rows = [_line(page.heads), _line("---" for _ in page.heads)]
    for variant in VARIANTS:
        rows += [_row(page, variant, _BY_NAME[name]) for name in variant.shapes]
    count = page.count.format(built=len(VARIANTS), all=len(VARIANTS), shapes=len(SHAPES))
    template = Path(__file__).with_name(page.template).read_text(encoding="utf-8")
    return template.replace("<!-- count -->", count).replace("<!-- rows -->", "\n".join(rows))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(page: Page, variant: Variant, shape: Shape) -> str:
    what = shape.en if page.language == "en" else shape.pt
    return _line((variant.repo, what, f"`{typed(variant, shape)}`", _said(page, shape)))


def typed(variant: Variant, shape: Shape) -> str:
    """The command line, with the variant's own names in it."""
    options = dict(zip(shape.lab.options[::2], shape.lab.options[1::2], strict=True))
    if variant.workers:
        options = {"--workers": variant.workers, **{k: v for k, v in options.items() if k != "--workers"}}
    words = [word for option in options.items() for word in option]
    return " ".join(filter(None, (_COMMAND, shlex.join(words), variant.ssh)))


def _said(page: Page, shape: Shape) -> str:
    told = []
    for each in shape.said:
        code, _, worker = each.partition(" ")
        told.append(f"`{code}` ({page.all_workers})" if worker == "all" else f"`{code}`")
    whose = page.of_a_plugin.format(plugin=shape.plugin) if shape.plugin else ""
    return f"{'<br>'.join(told) or page.green}{whose}{page.silent if shape.silent else ''}"


def main() -> None:
    for page in PAGES:
        path_of(page).write_text(written(page), encoding="utf-8")


if __name__ == "__main__":
    main()
