"""The words of the network, in two sentences each with a small drawing: those that occur in what is told.

Pure. The sentences are the catalogues' (``glossary-…``), each drawing a row of boxes and arrows; so is
docs/glossary.md (``python -m tests.verdict.glossary``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from kthw.verdict.svg import element, text
from kthw.verdict.templating import markup
from kthw.words.messages import Catalogue

DRAWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vpc": "{VPC~10.0.0.0/16 [worker-0] [worker-1] }",
        "subnet": "{10.0.1.0/24 [10.0.1.20] [10.0.1.21] }",
        "route-table": "{rtb-1 [10.200.1.0/24] > [worker-1] }",
        "association": "[subnet-1] > [rtb-1]",
        "route": "[10.200.1.7] > {rtb-1 [10.200.1.0/24] } > [worker-1]",
        "longest-prefix": "[10.200.1.7] > {rtb-1 [10.200.1.0/25] (10.200.1.0/24) }",
        "blackhole": "[10.200.1.0/24] x (eni-1)",
        "eni": "{worker-1 [pod] [eni-1] } > [VPC]",
        "source-dest-check": "{worker-1 [10.200.1.7] } x [10.0.1.21] > [VPC]",
        "internet-gateway": "{VPC [worker-1] } > [igw-1] > [1.1.1.1]",
        "security-group": "[tcp] > {sg-1 [worker-1] } x [udp]",
        "network-acl": "[worker-0] x {subnet-2 [worker-1] }",
        "pod-cidr": "{worker-1:~10.200.1.0/24 [10.200.1.2] [10.200.1.3] }",
        "user-data": "{worker-1 [pod-cidr=10.200.1.0/24] }",
        "cni": "[kubelet] > [CNI] > [pod]",
        "bridge": "{worker-1 [pod] [pod] > [cnio0] > [eth0] }",
        "forwarding": "{worker-1 [eth0] > [ip_forward=1] > [cnio0] }",
        "firewall": "{worker-1 [eth0] > [FORWARD] x [cnio0] }",
        "masquerade": "[10.200.1.7] > [10.0.1.21] > [1.1.1.1]",
        "node-route": "{worker-0 [10.200.1.0/24] } > [10.0.1.21]",
        "mtu": "[9001] > [MTU~1500] x [pod]",
        "host-key": "[ssh] > [known_hosts] > [worker-1]",
        "jump-host": "[ssh] > [jump] > [10.0.1.21]",
    }
)
"""By word, a row: ``[box]``, ``(what is not there)``, ``{frame … }``, ``>`` a way, ``x`` one that is cut."""
_HEIGHT: Final = 60
_LETTER: Final = 6.7


class Term(NamedTuple):
    """``name`` as it is written in the language, ``means`` two sentences, ``drawing`` inline SVG."""

    key: str
    name: str
    means: str
    drawing: str


def glossary(said: str, words: Catalogue) -> list[Term]:
    """The words that occur in ``said``, which is text of that language."""
    return [term(key, words) for key in DRAWN if re.search(words.say(f"glossary-{key}-seen"), said)]


def term(key: str, words: Catalogue) -> Term:
    """One of ``DRAWN``."""
    name, means = words.say(f"glossary-{key}"), words.say(f"glossary-{key}-means")
    return Term(key, name, means, markup(drawn(DRAWN[key])))


def drawn(row: str, **more: str) -> str:
    """A row as SVG; ``more``: attributes of it. What it shows the sentences say as well."""
    x, parts, frames = 2.0, [], []
    for part in row.split():
        said = part[1:-1].replace("~", " ")
        if part == ">":
            parts.append(element("path", d=f"M{x:.0f} 36h16m-5-4l5 4-5 4", class_="line good"))
            x += 20
        elif part == "x":
            parts.append(element("path", d=f"M{x:.0f} 36h16", class_="line bad"))
            parts.append(text(round(x + 8), 42, "✗", "cross"))
            x += 20
        elif part[0] == "{":
            said = part[1:].replace("~", " ")
            parts.append(text(round(x + 6), 13, said, "faint"))
            frames.append((x, x + 12 + _LETTER * len(said)))
            x += 6
        elif part == "}":
            start, least = frames.pop()
            x = max(x + 2, least)
            outline = f"M{start:.0f} 1h{x - start:.0f}v58h-{x - start:.0f}z"
            parts.insert(0, element("path", d=outline, class_="subnet"))
            x += 4
        else:
            wide = 12 + _LETTER * len(said)
            outline = f"M{x:.0f} 22h{wide:.0f}v28h-{wide:.0f}z"
            parts.append(element("path", d=outline, class_="gateway" if part[0] == "[" else "gateway absent"))
            parts.append(text(round(x + wide / 2), 40, said))
            x += wide + 4
    size = {"viewBox": f"0 0 {x:.0f} {_HEIGHT}", "width": f"{x:.0f}", "height": str(_HEIGHT)}
    return element("svg", "".join(parts), class_="kthw-term", aria_hidden="true", **size, **more)
