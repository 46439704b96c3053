"""What the catalogue's page says in its tables, in both languages; the rest is in ``page.*.md``."""

from __future__ import annotations

from typing import Final

import msgspec


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """``template``: the file beside this module; ``file``: what is written of it, in ``docs``."""

    language: str
    template: str
    file: str
    thousands: str
    kinds: dict[str, str]
    figures: tuple[str, ...]
    measured: str
    table: tuple[str, ...]
    by_hand: str


PAGES: Final = (
    Page(
        language="en",
        template="page.en.md",
        file="faults.md",
        thousands=",",
        kinds={"fault": "faults", "pair": "two faults at once", "healthy": "healthy variants"},
        figures=(
            "",
            "injected",
            "caught",
            "under the right codes",
            "false alarms",
            "mended by what is printed",
        ),
        measured=(
            "{packets} packets between pods were measured in these {cases} cases. In {agreed} of them every "
            "one had the fate that the path, as AWS and the nodes are set up, predicts; in the others "
            "packets are lost to something that is not looked at. One process alone would have taken "
            "{minutes} minutes."
        ),
        table=("what was done", "what you see", "what mends it"),
        by_hand="by hand",
    ),
    Page(
        language="pt-BR",
        template="page.pt-BR.md",
        file="falhas.pt-BR.md",
        thousands=".",
        kinds={"fault": "falhas", "pair": "duas falhas de uma vez", "healthy": "variantes saudáveis"},
        figures=(
            "",
            "injetadas",
            "detectadas",
            "com os códigos certos",
            "alarmes falsos",
            "corrigidas pelo que é impresso",
        ),
        measured=(
            "{packets} pacotes entre pods foram medidos nestes {cases} casos. Em {agreed} deles cada um teve "
            "o destino previsto pelo caminho, como a AWS e os nós estão configurados; nos outros, pacotes "
            "se perdem em algo que não é observado. Um único processo teria levado {minutes} minutos."
        ),
        table=("o que foi feito", "o que você vê", "o que corrige"),
        by_hand="à mão",
    ),
)
