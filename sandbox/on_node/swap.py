"""``swapoff`` and ``swapon``: what there is of swap is this computer's, and no node's."""

from __future__ import annotations

from sandbox.on_node.speaking import tell


def main(words: list[str]) -> int:
    """Nothing to switch; nothing to show, which on a worker is as it should be."""
    if not any(word in ("-s", "--show", "--summary") for word in words):
        tell("node-no-swap")
    return 0
