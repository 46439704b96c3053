"""Looks into a sandbox's nodes until it is told to stop, for the tests that end it badly.

Arguments: the sandbox's endpoint, its ssh_config. Says the phase it is in, one a line.
"""

from __future__ import annotations

import sys

from kthw.intended.cluster import Intended
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.pods import look_into_nodes
from kthw.target import SshAccess, Target


def _say(phase: str, done: int, of: int) -> None:
    sys.stdout.write(f"{phase} {done} {of}\n")
    sys.stdout.flush()


def main() -> None:
    endpoint, config = sys.argv[1:]
    target = Target(
        kind="sandbox",
        endpoint=endpoint,
        region="us-east-1",
        credentials=("testing", "testing"),
        ssh=SshAccess(config=config),
    )
    intended = Intended(workers=("worker-0", "worker-1", "worker-2"))
    inventory, _ = read_inventory(Reader(target), intended)
    look_into_nodes(target, inventory, intended, progress=_say)


if __name__ == "__main__":
    main()
