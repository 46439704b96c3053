"""What these programs say: in the language of whoever started the sandbox, and to whom it is no answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

WORDS = Path("/opt/sandbox/words.json")


def say(key: str, **facts: str) -> str:
    """The sentence of that key, with these facts in it."""
    text: str = json.loads(WORDS.read_text(encoding="utf-8")).get(key, key)
    for name, fact in facts.items():
        text = text.replace(f"{{{name}}}", fact)
    return text


def tell(key: str, **facts: str) -> None:
    """Say it, and that it is the sandbox that speaks."""
    print(f"sandbox: {say(key, **facts)}", file=sys.stderr, flush=True)  # noqa: T201 -- a program's own word


def put(text: str) -> None:
    """A line of the answer."""
    print(text, flush=True)  # noqa: T201 -- a program's own answer
