"""What drops a packet in a node's firewall, as its tools say it, and the command lines that mend it."""

from __future__ import annotations

import re
import shlex
from typing import Final

from kthw.network.firewall_rules import handle
from kthw.network.netfilter import Drop
from kthw.observed.evidence import Chain
from kthw.secrets import MASK

_MODPROBE: Final = re.compile(r"-[^-]*M|--mo(?!de$)")
"""iptables' ``-M`` or ``--modprobe``, which name a program to run: behind other letters, or in short. (The
module ``statistic`` has a ``--mode``.)"""


def told(drop: Drop) -> str:
    """What drops, and where, so that the same in another table, or another tool's, is something else."""
    chain = drop.chain
    if chain.tool == "nft":
        return f"{chain.table} {chain.name}: {drop.rule or f'policy {chain.policy.lower()}'}"
    command = " ".join(_iptables(chain))
    if not drop.rule:
        return f"{command} -P {chain.name} {chain.policy}"
    return drop.rule if command == "iptables" else f"{command} {drop.rule}"


def is_known_in_part(drop: Drop) -> bool:
    """Whether no command can say which rule: nft's by its number, iptables' by all that is in it."""
    if not drop.rule:
        return False
    return not handle(drop.rule) if drop.chain.tool == "nft" else MASK in drop.rule


def mending(drop: Drop) -> str:
    """The command line that mends it, quoted; that lists the rules where none can say which one it is."""
    command = _listing(drop) if is_known_in_part(drop) else _mending(drop)
    return shlex.quote(command) if command else ""


def _listing(drop: Drop) -> str:
    """The command line that lists the rules of the chain with their numbers."""
    chain = drop.chain
    if chain.tool == "nft":
        return shlex.join(["sudo", "nft", "-a", "list", "chain", *chain.table.split(" "), chain.name])
    return shlex.join(["sudo", *_iptables(chain), "-L", chain.name, "-n", "--line-numbers"])


def _mending(drop: Drop) -> str:
    """The command line that takes the rule away, or turns the policy; every word of the node's is quoted.

    Empty where the rule would run a program, which iptables never prints: a recording may come from anybody.
    """
    chain = drop.chain
    table = chain.table.split(" ")
    if chain.tool == "nft" and drop.rule:
        return shlex.join(["sudo", "nft", "delete", "rule", *table, chain.name, "handle", handle(drop.rule)])
    if chain.tool == "nft":
        return shlex.join(["sudo", "nft", "add", "chain", *table, chain.name, "{ policy accept; }"])
    if not drop.rule:
        return shlex.join(["sudo", *_iptables(chain), "-P", chain.name, "ACCEPT"])
    words = shlex.split(drop.rule)[1:]
    runs_programs = any(map(_MODPROBE.match, words))
    return "" if runs_programs else shlex.join(["sudo", *_iptables(chain), "-D", *words])


def _iptables(chain: Chain) -> list[str]:
    return [chain.tool, *([] if chain.table == "filter" else ["-t", chain.table])]
