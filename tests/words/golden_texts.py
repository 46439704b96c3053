"""The commonest findings and errors as they read: ``python -m tests.words.golden_texts`` writes them anew.

The files are ``golden/en.txt`` and ``golden/pt-BR.txt``; read what changed in them before committing it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kthw.errors import LookError
from kthw.findings.finding import Finding
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.faults import FAULTS
from tests.findings.judged import everything

COMMONEST: Final = {
    "route-missing": "one route missing",
    "route-wrong-target": "route to a controller",
    "route-blackhole": "node replaced",
    "source-dest-check-on": "source/dest check on",
    "subnet-not-associated": "table never associated",
    "security-group-blocks": "no rule for the nodes",
    "pod-cidr-missing": "pod-cider",
    "worker-not-running": "worker stopped",
    "cni-config-missing": "no CNI file",
}
"""By code, the name of the fault that it is told of."""

UNREACHABLE: Final = LookError(
    code="ssh-unreachable",
    subject="worker-1 (i-01, 10.0.1.21)",
    worker="worker-1",
    detail="no answer in 10 s",
    variant="timeout",
    facts={
        "worker": "worker-1",
        "address": "203.0.113.21",
        "host": "203.0.113.21",
        "port": "22",
        "user": "ubuntu",
        "key": "kubernetes.id_rsa",
        "config": "",
        "login": "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21",
    },
)


def file_of(language: str) -> Path:
    return Path(__file__).with_name("golden") / f"{language}.txt"


def text(language: str) -> str:
    """All of them in one language, one after the other."""
    words = catalogue(language)
    told = [(found.code, found.subject, words.finding(found)) for found in map(_first, COMMONEST)]
    told.append((UNREACHABLE.code, UNREACHABLE.subject, words.error(UNREACHABLE)))
    sections = (f"{code} · {subject}\n\n{w.what}\n{w.why}\n\n{w.fix}\n" for code, subject, w in told)
    return f"\n{'-' * 78}\n\n".join(sections)


def _first(code: str) -> Finding:
    evidence, _ = FAULTS[COMMONEST[code]]
    return next(found for found in everything(evidence) if found.code == code)


if __name__ == "__main__":
    for each in LANGUAGES:
        file_of(each).write_text(text(each), encoding="utf-8")
