"""A pod CIDR is found in user data of any form that people write, and nothing else is taken for one."""

from __future__ import annotations

import base64
import gzip
import time
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from kthw.observed.aws.statements import said_by_tag
from kthw.observed.aws.user_data import read_user_data

CIDR = "10.200.7.0/24"


def said(text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return [each.cidr for each in read_user_data(base64.b64encode(data).decode()).statements]


def mime(*bodies: str) -> str:
    whole = MIMEMultipart()
    for body in bodies:
        whole.attach(MIMEText(body, "x-shellscript"))
    return whole.as_string()


FORMS = {
    "literal-line-end": f"INSTANCE_NAME=worker-7\\nPOD_CIDR={CIDR}\\n",
    "comma": f"name=worker-7,pod-cidr={CIDR}",
    "space": f"name=worker-7 pod-cidr={CIDR}",
    "semicolon": f"name=worker-7; pod-cidr={CIDR};",
    "indented": f"  name=worker-7\n  pod-cidr={CIDR}\n",
    "shouted": f"name=worker-7|POD_CIDR={CIDR}",
    "snake": f"name=worker-7|pod_cidr={CIDR}",
    "camel": f"name=worker-7|podCIDR={CIDR}",
    "pascal": f"name=worker-7|PodCidr={CIDR}",
    "prefixed": f"name=worker-7|K8S_POD_CIDR={CIDR}",
    "range": f"pod-cidr-range={CIDR}",
    "quoted": f'POD_CIDR="{CIDR}"',
    "colon": f"pod-cidr: {CIDR}",
    "json": f'{{"name": "worker-7", "pod-cidr": "{CIDR}"}}',
    "json-camel": f'{{"podCIDR":"{CIDR}"}}',
    "alone": CIDR,
    "alone-with-line-end": f"{CIDR}\n",
    "beside-the-clusters": f"cluster-cidr=10.200.0.0/16,pod_cidr={CIDR}",
    "export": f"#!/bin/bash\nset -e\nexport POD_CIDR={CIDR}\n",
    "export-quoted": f"#!/bin/bash\nexport POD_CIDR='{CIDR}'\necho $POD_CIDR\n",
    "readonly": f"#!/bin/sh\nreadonly pod_cidr={CIDR}\n",
    "option": f"#!/bin/sh\n/opt/join --pod-cidr {CIDR}\n",
    "echo": f"#!/bin/bash\necho {CIDR} > /srv/pod_cidr.conf\n",
    "echo-quoted": f'#!/bin/bash\necho "{CIDR}" > /srv/pod-cidr\n',
    "tee": f"#!/bin/bash\necho {CIDR} | sudo tee /etc/pod-cidr\n",
    "printf": f"#!/bin/sh\nprintf '%s\\n' '{CIDR}' >> /etc/worker.range\n",
    "echo-of-pairs": f'#!/bin/bash\necho "name=worker-7|pod-cidr={CIDR}" > /etc/ours/said\n',
    "echo-into-environment": f'#!/bin/bash\necho "POD_CIDR={CIDR}" >> /etc/environment\n',
    "another-name": f"#!/bin/bash\nRANGE={CIDR}\necho $RANGE > /etc/mine\n",
    "beside-others": f"#!/bin/bash\nCLUSTER_CIDR=10.200.0.0/16\nSERVICE_CIDR=10.32.0.0/24\nPOD_CIDR={CIDR}\n",
    "beside-a-comment": f"#!/bin/bash\n# POD_CIDR=10.200.9.0/24 was the old one\nPOD_CIDR={CIDR}\n",
    "twice-the-same": f"#!/bin/bash\nPOD_CIDR={CIDR}\necho {CIDR} > /srv/pod_cidr.conf\n",
    "cloud-config": f"#cloud-config\nruncmd:\n  - export POD_CIDR={CIDR}\n",
    "cloud-config-list": f"#cloud-config\nruncmd:\n  - [sh, -c, 'echo {CIDR} > /srv/pod_cidr']\n",
    "cloud-config-file": f"#cloud-config\nwrite_files:\n- path: /etc/pod-cidr\n  content: |\n    {CIDR}\n",
    "cloud-config-key": f"#cloud-config\nkubernetes:\n  pod_cidr: {CIDR}\n",
    "mime": mime(f"#!/bin/bash\necho {CIDR} > /srv/pod_cidr.conf\n"),
    "mime-of-two": mime("#!/bin/sh\napt-get update\n", f"#!/bin/sh\nexport POD_CIDR={CIDR}\n"),
    "mime-not-ascii": mime(f"#!/bin/sh\n# instala\u00e7\u00e3o\nexport POD_CIDR={CIDR}\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_pod_cidr_is_found_in_whatever_form_it_is_said(form: str) -> None:
    assert said(FORMS[form]) == [CIDR]


@pytest.mark.parametrize("form", ["export", "echo", "cloud-config", "shouted"])
def test_packed_by_gzip_it_is_found_as_well(form: str) -> None:
    assert said(gzip.compress(FORMS[form].encode())) == [CIDR]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "name=worker-7",
        "cluster-cidr=10.200.0.0/16",
        "service-cidr=10.32.0.0/24|vpc-cidr=10.0.0.0/16",
        "see 10.200.7.0/24 and 10.200.8.0/24",
        "#!/bin/sh\nCLUSTER_CIDR=10.200.0.0/16\n",
        "#!/bin/sh\niptables -A INPUT -s 10.1.0.0/16 -j ACCEPT\niptables -A INPUT -s 10.2.0.0/16 -j ACCEPT\n",
        "#!/bin/sh\n# POD_CIDR=10.200.7.0/24\n",
        "#!/bin/sh\ncurl http://169.254.169.254/latest/meta-data/\n",
        "#!/bin/sh\nVERSION=1.2.3.4/5/6\n",
        "pod-cidr-file=/etc/pods",
        "#!/bin/sh\niptables -t nat -A POSTROUTING ! -d 10.0.0.0/16 -j MASQUERADE\n",
        "#!/bin/sh\nkubeadm init --pod-network-cidr=10.200.0.0/16\n",
        "#!/bin/sh\nip route add default via 10.0.0.1; iptables -d 0.0.0.0/0 -j ACCEPT\n",
        '#!/bin/sh\necho \'{"bip": "172.26.0.1/16"}\' > /etc/docker/daemon.json\n',
        "#!/bin/sh\necho '/srv 10.0.0.0/16(rw)' >> /etc/exports\n",
    ],
    ids=[
        "nothing", "words", "name", "clusters", "services", "two", "clusters-in-a-script", "firewall",
        "comment", "metadata", "path", "file", "masquerade", "kubeadm", "everywhere", "docker", "exports",
    ],
)  # fmt: skip
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert said(text) == []


def test_two_that_disagree_are_both_told() -> None:
    text = "#!/bin/sh\nPOD_CIDR=10.200.1.0/24\nPOD_CIDR=10.200.2.0/24\n"
    assert said(text) == ["10.200.1.0/24", "10.200.2.0/24"]


def test_the_chapters_own_form_needs_no_other() -> None:
    assert said(f"name=worker-7|pod-cidr={CIDR}") == []


@pytest.mark.parametrize(
    "text",
    [
        "Content-Type:;b*",
        "MIME-Version: 1.0\nContent-Type:;b*",
        "Content-Type: text/x; charset=\x00\n\nPOD_CIDR=x",
    ],
    ids=["header", "second", "charset"],
)
def test_a_message_that_is_none_says_nothing(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\nreg --cidr 10.200.1.0/24 --password 'abc>hunter2S3cret'\n",
        "#!/bin/sh\necho 10.200.1.0/24 | tee https://u:hunter2S3cret@h/pod-cidr\n",
        "#!/bin/sh\n<net>10.200.0.0/24</net><password>hunter2S3cret</password>\n",
        "#!/bin/sh\necho 10.200.1.0/24 > /pod-cidr/password=hunter2S3cret\n",
        "pod-cidr=10.200.1.0/24,password=hunter2S3cret",
    ],
    ids=["option", "address", "markup", "path", "pair"],
)
def test_no_secret_comes_with_a_statement(text: str) -> None:
    kept = read_user_data(base64.b64encode(text.encode()).decode()).statements
    assert "hunter2" not in repr(kept)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("pod-cidr", CIDR, CIDR),
        ("POD_CIDR", f" {CIDR} ", CIDR),
        ("PodCidr", CIDR, CIDR),
        ("kthw/pod_cidr", CIDR, CIDR),
        ("k8sPodCidr", CIDR, CIDR),
        ("pod-cidr", "10.200.7.0", "10.200.7.0"),
        ("pod-cidr", "hunter2S3cret", "***"),
        ("pod-cidr", "", ""),
        ("pod-cidr-owner", "alice", ""),
        ("pod-cidr-token", "hunter2S3cret", ""),
        ("tripod-cidr", CIDR, ""),
        ("cluster-pod-cidr", "10.200.0.0/16", ""),
        ("Name", "worker-7", ""),
    ],
)
def test_a_tag_says_a_pod_cidr_or_is_about_something_else(key: str, value: str, expected: str) -> None:
    assert said_by_tag(key, value) == expected


def test_white_space_without_end_costs_nothing() -> None:
    began = time.process_time()
    for gap in (" ", "\n", "\t "):
        said(f"pod-cidr{gap * 7_000}x")
        said(f"#!/bin/sh\npod-cidr={gap * 3_000}[{gap * 3_000}10.200.7.0/24x")
    assert time.process_time() - began < 2
