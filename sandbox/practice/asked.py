"""What an exercise is asked for by."""

from __future__ import annotations

from typing import Final, Literal

Level = Literal["easy", "hard"]
LEVELS: Final[tuple[Level, ...]] = ("easy", "hard")
USUAL_FAULTS: Final = {"easy": 1, "hard": 3}
MOST_FAULTS: Final = 3
MOST_SEED: Final = 999_999
