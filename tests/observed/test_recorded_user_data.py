"""User data in each of the forms in which it was found, in our words, and what is read of it."""

from __future__ import annotations

from collections.abc import Callable
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Final

from kthw.findings.judging import judge
from kthw.intended.cluster import Intended
from kthw.network.model import Network
from kthw.network.said import Saying
from tests.observed.recorded_account import GROUP, account, group, instance, read, rule, ruling


def _mime(cidr: str) -> str:
    whole = MIMEMultipart()
    whole.attach(MIMEText(f"#!/bin/bash\necho {cidr} > /srv/pod_cidr.txt\n", "x-shellscript"))
    return whole.as_string()


FORMS: Final[dict[str, tuple[Callable[[str], str], str]]] = {
    "the chapter's": (lambda cidr: f"name=node-a|pod-cidr={cidr}", "pod-cidr"),
    "the range alone": (lambda cidr: f"pod-cidr={cidr}", "pod-cidr"),
    "with the cluster's range": (
        lambda cidr: f"name=node-a|pod-cidr={cidr}|cluster-cidr=10.200.0.0/16",
        "pod-cidr",
    ),
    "the chapter's in a script's clothes": (
        lambda cidr: f"#!/bin/bash\nname=node-a|pod-cidr={cidr}",
        "pod-cidr",
    ),
    "for a shell, with line ends of two signs": (
        lambda cidr: rf"INSTANCE_NAME=node-a\nPOD_CIDR={cidr}\n",
        "POD_CIDR",
    ),
    "cloud-config": (
        lambda cidr: f"#cloud-config\npackages: [jq]\nruncmd:\n  - export POD_CIDR={cidr}\n",
        "POD_CIDR",
    ),
    "a MIME part": (_mime, "/srv/pod_cidr.txt"),
    "a script that writes a file": (
        lambda cidr: f'#!/bin/bash\nset -eu\nhostname node-a\necho "{cidr}" > /opt/ours/pod-cidr\n',
        "/opt/ours/pod-cidr",
    ),
    "a script that writes the chapter's": (
        lambda cidr: (
            f'#!/bin/bash\nmkdir -p /etc/ours\necho "name=node-a|pod-cidr={cidr}" > /etc/ours/said\n'
        ),
        "pod-cidr",
    ),
    "indented lines": (lambda cidr: f"  name=node-a\n  pod-cidr={cidr}\n", "pod-cidr"),
}


def test_each_form_says_its_workers_pod_cidr() -> None:
    cidrs = {f"node-{n}": f"10.200.{n}.0/24" for n in range(len(FORMS))}
    texts = [form(cidr) for (form, _), cidr in zip(FORMS.values(), cidrs.values(), strict=True)]
    listed = [instance(n, name) for n, name in enumerate(cidrs)]
    answers = account(listed, [ruling()], [group(GROUP, [rule("-1", "10.0.0.0/8")])])
    said = {each["InstanceId"]: text for each, text in zip(listed, texts, strict=True)}
    evidence = read(answers, Intended(workers=tuple(cidrs)), said)
    network = Network(evidence)
    found = {form: network.said(name) for form, name in zip(FORMS, cidrs, strict=True)}
    assert {form: each and each.saying for form, each in found.items()} == {
        form: Saying(source="user-data", cidr=cidr, where=where)
        for (form, (_, where)), cidr in zip(FORMS.items(), cidrs.values(), strict=True)
    }
    assert not [code for f in judge(evidence).findings if (code := f.code).startswith("pod-cidr")]


def test_a_range_whose_slash_became_a_dot_is_told_with_what_was_meant() -> None:
    answers = account([instance(0, "node-0")], [ruling()], [group(GROUP, [rule("-1", "10.0.0.0/8")])])
    said = {"i-0aaaaaaaaaaaaaa00": "name=node-0|pod-cidr=10.200.0.0.24"}
    first, *_ = judge(read(answers, Intended(workers=("node-0",)), said)).findings
    assert (first.code, first.observed) == ("pod-cidr-invalid", "pod-cidr=10.200.0.0.24")
    assert (first.expected, first.near_miss) == ("pod-cidr=10.200.0.0/24", "10.200.0.0/24")
