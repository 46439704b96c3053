"""A change between two recordings, as data; its words are in the catalogues."""

from __future__ import annotations

from msgspec import Struct

from kthw.words.messages import Catalogue


class Change(Struct, frozen=True):
    """``key``: the sentence of the catalogues, which ``facts`` fill."""

    key: str
    facts: dict[str, str]

    def said(self, words: Catalogue) -> str:
        """The sentence."""
        return words.say(self.key, **self.facts)


def change(kind: str, /, **facts: str) -> Change:
    """One of a kind."""
    return Change(f"history-change-{kind}", facts)
