"""Where AWS is, as the environment and the AWS configuration say it: what a client of botocore's comes to."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

from kthw.observed.aws.reader import Reader, facts_of
from kthw.target import Target

AWS = Target(kind="aws")
LOCAL = "http://127.0.0.1:4566"
CONFIGURED = {
    "nothing": ("", {}),
    "everything": ("", {"AWS_ENDPOINT_URL": LOCAL}),
    "EC2": ("", {"AWS_ENDPOINT_URL_EC2": LOCAL}),
    "EC2, and everything else elsewhere": (
        "",
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_EC2": LOCAL},
    ),
    "another service": ("", {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}),
    "in the profile": (f"[default]\nendpoint_url = {LOCAL}\n", {}),
    "in another profile": (f"[default]\n[profile other]\nendpoint_url = {LOCAL}\n", {}),
    "in the profile that is named": (
        f"[default]\n[profile mine]\nendpoint_url = {LOCAL}\nregion = sa-east-1\n",
        {"AWS_PROFILE": "mine"},
    ),
    "of EC2, in the profile's services": (
        "[default]\nservices = here\nendpoint_url = http://127.0.0.1:1\n"
        f"[services here]\nec2 =\n  endpoint_url = {LOCAL}\n",
        {},
    ),
    "of another service, in the profile's services": (
        f"[default]\nservices = here\n[services here]\nsts =\n  endpoint_url = {LOCAL}\n",
        {},
    ),
    "in the profile, and in the environment": (
        "[default]\nendpoint_url = http://127.0.0.1:1\n",
        {"AWS_ENDPOINT_URL": LOCAL},
    ),
    "ignored by the environment": (
        f"[default]\nendpoint_url = {LOCAL}\n",
        {"AWS_ENDPOINT_URL": LOCAL, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ),
    "ignored by the profile": (
        f"[default]\nendpoint_url = {LOCAL}\nignore_configured_endpoint_urls = true\n",
        {},
    ),
}


@pytest.fixture
def configured(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A person's configuration, by its name."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    content, variables = CONFIGURED[request.param]
    (tmp_path / "config").write_text(content)
    given = {
        "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }  # fmt: skip
    for name, value in {**given, **variables}.items():
        monkeypatch.setenv(name, value)
    return str(request.param)


@pytest.mark.parametrize("configured", CONFIGURED, indirect=True)
def test_an_endpoint_is_known_wherever_it_is_configured(configured: str) -> None:
    endpoint = facts_of(AWS)["endpoint"]
    assert Reader(AWS).ec2.meta.endpoint_url == (endpoint or "https://ec2.us-east-1.amazonaws.com"), (
        configured
    )
    assert boto3.Session().client("ec2").meta.endpoint_url == Reader(AWS).ec2.meta.endpoint_url


@pytest.mark.parametrize("configured", ["in the profile that is named"], indirect=True)
def test_a_profile_s_region_is_known(configured: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts_of(AWS)["region"] == "us-east-1", configured
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert facts_of(AWS)["region"] == "sa-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert facts_of(AWS)["region"] == "eu-west-1"


@pytest.mark.parametrize("configured", ["everything"], indirect=True)
def test_a_target_s_own_endpoint_comes_first(configured: str) -> None:
    sandbox = Target(kind="sandbox", endpoint="http://127.0.0.1:2", region="r", credentials=("a", "b"))
    assert (facts_of(sandbox)["endpoint"], facts_of(sandbox)["region"]) == ("http://127.0.0.1:2", "r"), (
        configured
    )


@pytest.mark.parametrize(
    "content", ["[default\n", "\0", "[profile x]\n= =\n", "[profile nobody]\nservices = nowhere\n"]
)
def test_a_configuration_that_is_none_is_nobody_s_traceback(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(content)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert facts_of(AWS)["endpoint"] == LOCAL
