"""No secret that people put into user data is in the evidence; nothing that a report needs is masked."""

from __future__ import annotations

import base64

import msgspec
import pytest

from kthw.network import pod_cidr
from kthw.observed.aws.user_data import read_user_data
from kthw.secrets import masked

# Made up, all of them; put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "aws-key-id": ("export AWS_ACCESS_KEY_ID={}", "AKIA" "IOSFODNN7EXAMPLE"),
    "aws-session-key-id": ("aws_session {}", "ASIA" "IOSFODNN7EXAMPLE"),
    "aws-secret": ("aws_secret_access_key = {}", "abc"),
    "aws-secret-alone": ("echo {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "aws-session-token": ("aws_session_token={}", "IQoJb3Jp"),
    "kubeadm-token": ("kubeadm join 10.0.0.1:6443 --token {}", "abcdef." "0123456789abcdef"),
    "kubeadm-alone": ("# {}", "abcdef." "0123456789abcdef"),
    "bootstrap-token": ("bootstrap-token={}", "ab12cd." "0123456789abcdef"),
    "db-pass": ("DB_PASS={}", "hunter2"),
    "db-pass-letters": ("DB_PASS={}", "segredo"),
    "pass": ("pass={}", "correto"),
    "pwd": ("pwd: {}", "hunter2"),
    "mysql-pwd": ("MYSQL_PWD={}", "hunter2"),
    "pgpassword": ("PGPASSWORD={} psql -h db", "hunter2"),
    "password-option": ("adduser ana --password {}", "hunter2"),
    "password-option-equals": ("adduser ana --password={}", "hunter2"),
    "password-option-letters": ("adduser ana --password {}", "segredo"),
    "password-quoted": ("DB_PASSWORD='{}'", "a b c"),
    "password-json": ('{{"password": "{}"}}', "hunter two"),
    "password-yaml": ("  password: {}", "segredo"),
    "password-ruby": ("'password' => '{}'", "segredo"),
    "senha": ("senha: {}", "segredo"),
    "contraseña": ("contraseña={}", "secreto"),
    "japanese": ("パスワード: {}", "himitsu"),
    "curl": ("curl -u admin:{} http://x/", "hunter2"),
    "curl-long": ("curl --user 'admin:{}' http://x/", "hunter2"),
    "wget": ("wget --http-password={} http://x/", "hunter2"),
    "chpasswd": ("echo root:{} | chpasswd", "hunter2"),
    "chpasswd-sudo": ('echo "ubuntu:{}" | sudo chpasswd', "hunter2"),
    "chpasswd-here": ("chpasswd <<< root:{}", "segredo"),
    "htpasswd": ("htpasswd -bc /etc/f ana {}", "segredo"),
    "crypt": ("useradd -p '{}' ana", "$6$" "rounds=5000$saltsalt$abcdefghijklmnop"),
    "bcrypt": ("ana:{}", "$2y$" "05$abcdefghijklmnopqrstuv"),
    "yescrypt": ("passwd: {}", "$y$" "j9T$abcdefgh$ijklmnop"),
    "github": ("git config x {}", "ghp_" "16C7e42F292c6912E7710c838347Ae178B4a"),
    "github-fine": ("x {}", "github_pat_" "11ABCDE_abcdefgh"),
    "gitlab": ("x {}", "glpat-" "abcdefABCDEF12345678"),
    "slack": ("x {}", "xoxb-" "1234567890-abcdefgh"),
    "google": ("x {}", "AIza" "SyA1234567890abcdefghijklmnopqrstuv"),
    "npm": ("//registry/:_authToken={}", "npm_" "abcdefghijklmnop"),
    "openai": ("x {}", "sk-" "abcdefghijklmnopqrstuvwx"),
    "stripe": ("x {}", "sk_live_" "abcdefghijklmnop"),
    "vault": ("x {}", "hvs." "CAESIabcdefgh"),
    "jwt": ("x {}", "eyJ" "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"),
    "mysql": ("mysql -u root -p{} db", "secret"),
    "mysql-apart": ("mysqldump -p {} db", "segredo"),
    "identified-by": ("CREATE USER a IDENTIFIED BY '{}'", "segredo"),
    "sshpass": ("sshpass -p {} ssh x", "segredo"),
    "bearer": ("curl -H 'Authorization: Bearer {}' x", "abcdefgh"),
    "basic": ("Authorization: Basic {}", "YWRtaW46aHVudGVyMg"),
    "authorization": ("Authorization: {}", "segredo"),
    "url-login": ("git clone https://ana:{}@example.org/x", "hunter2"),
    "url-password": ("redis://:{}@db:6379", "hunter2"),
    "url-slash": ("postgres://ana:{}@db/x", "hun/ter2"),
    "url-token": ("git clone https://{}@example.org/x", "abcdefgh12"),
    "url-query": ("curl https://x/y?token={}", "abc"),
    "url-signature": ("curl 'https://x/y?a=b&X-Amz-Signature={}'", "0a1b2c"),
    "netrc": ("machine x login ana password {}", "segredo"),
    "pem": ("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    "pem-cut": ("-----BEGIN OPENSSH PRIVATE KEY-----\n{}", "b3BlbnNz"),
    "hexadecimal": ("echo {}", "0123456789abcdef" "0123456789abcdef"),
    "api-key": ("api_key: {}", "letras"),
    "ldap": ("userPassword: {}", "{SSHA}" "abcdefghijk"),
    "private-key-value": ("WG_PRIVATE_KEY={}", "letras"),
}  # fmt: skip
"""What it stands in, and the secret."""

FOR_USER_DATA_ONLY = {
    "base64": ("echo {} | base64 -d | sh", base64.b64encode(b"DB_PASS=hunter2").decode()),
    "base64-alone": ("{}", base64.b64encode(b"hunter2!").decode()),
    "innocent-name": ("x={}", "hunter2"),
    "innocent-option": ("login -u ana -x {}", "hunter2"),
    "short-option": ("tool -S{} x", "segredo"),
    "comment": ("# root is {}", "Tr0ub4dor&3"),
    "here-document": ("cat >/etc/key <<END\n{}\nEND", "linha-de-segredo"),
    "many-words": ("x={}", "correct horse battery staple"),
    "json-innocent": ('{{"pw": "{}"}}', "segredo"),
}
"""Nothing gives these away but that nobody knows them to be harmless."""

CONTEXTS = {
    "script": "#!/bin/sh\n{}\n",
    "cloud-config": "#cloud-config\nruncmd:\n - {}\n",
    "script-with-cidr": "#!/bin/bash\nexport POD_CIDR=10.200.1.0/24\n{}\n",
    "beside-cidr": "#!/bin/bash\n{} # 10.200.1.0/24\n",
    "lines": "name=worker-0\npod-cidr=10.200.0.0/24\n{}\n",
    "lines-without": "name=worker-0\n{}\n",
    "pairs": "name=worker-0|pod-cidr=10.200.0.0/24|{}",
    "first": "{}\nname=worker-0\n",
    "in-the-pod-cidr": "name=worker-0|pod-cidr=10.200.0.0/24 {}",
    "in-the-name": "name=worker-0 {}|pod-cidr=10.200.0.0/24",
}


@pytest.mark.parametrize("kind", [*SECRETS, *FOR_USER_DATA_ONLY])
@pytest.mark.parametrize("context", CONTEXTS)
def test_no_secret_of_user_data_is_in_the_evidence(kind: str, context: str) -> None:
    """Written once or encoded twice, and not in what the judgement makes of it either."""
    form, secret = {**SECRETS, **FOR_USER_DATA_ONLY}[kind]
    text = CONTEXTS[context].format(form.format(secret))
    once = base64.b64encode(text.encode())
    for value in (once, base64.b64encode(once)):
        said = read_user_data(value.decode())
        shown = f"{msgspec.to_builtins(said)} {said.encoded_text} {pod_cidr.read(said)}"
        shown += pod_cidr.mended(said, "worker-0", "10.200.0.0/24")
        assert secret not in shown.replace("\\", "")


@pytest.mark.parametrize("context", ["script-with-cidr", "beside-cidr", "lines", "pairs"])
def test_the_pod_cidr_beside_a_secret_is_still_read(context: str) -> None:
    """What a finding needs is kept, whatever stands next to it."""
    text = CONTEXTS[context].format("curl -u admin:hunter2 http://x/")
    seen = pod_cidr.read(read_user_data(base64.b64encode(text.encode()).decode()))
    assert "10.200." in f"{seen.network} {seen.hint} {seen.observed}"


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_of_these_kinds_is_in_a_message(kind: str) -> None:
    form, secret = SECRETS[kind]
    for around in ("{}", "An error occurred (X) when calling Y: {}", "-A FORWARD -m comment --comment {}"):
        assert secret not in masked(around.format(form.format(secret)))


@pytest.mark.parametrize(
    "text",
    [
        "name=worker-0|pod-cidr=10.200.0.0/24",
        "i-0123456789abcdef0 rtb-0123456789abcdef0 10.200.0.0/24 2001:db8::/32",
        "/usr/local/share/ca-certificates/kubernetes-the-hard-way",
        "59dbff89-35bd-4eac-99ed-be587aabbccd",
        "The security token included in the request is invalid.",
        "InvalidClientTokenId: The security token included in the request is invalid.",
        "ExpiredToken: The provided token has expired.",
        "ExpiredTokenException: The security token included in the request is expired",
        "UnrecognizedClientException: The security token included in the request is invalid.",
        "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
        "AuthFailure: AWS was not able to validate the provided access credentials",
        "MissingAuthenticationToken: Request is missing Authentication Token",
        "Error when retrieving token from sso: Token has expired and refresh failed",
        "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
        "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
        "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: ec2:DescribeInstances",
        "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef0123/ana@example.org",
        "The key pair 'kubernetes' does not exist",
        'Could not connect to the endpoint URL: "http://127.0.0.1:5000/"',
        "-A FORWARD -s 10.200.0.0/16 -d 10.0.0.0/16 -p tcp -m tcp --dport 443 -j ACCEPT",
        "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin rules\" -j CNI-ADMIN",
        "meta l4proto tcp ip daddr 10.200.1.0/24 counter packets 3 bytes 180 drop comment \"bypass: no\"",
        "worker-0.us-east-1.compute.internal",
        "unknown: compass=north, bypass=yes",
        "ssh ubuntu@192.0.2.10",
        "https://ec2.us-east-1.amazonaws.com/?Action=DescribeInstances&Version=2016-11-15",
        "sha256:abc image ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240101",
    ],
)  # fmt: skip
def test_what_a_report_needs_is_not_masked(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dono", "João"), ("zone", "us-east-1a"), ("region", "ap-southeast-2"), ("type", "t3.micro"),
        ("vpc", "vpc-0123456789abcdef0"), ("index", "3"), ("peer", "worker-1"), ("version", "1.32.3"),
        ("gateway", "10.200.0.1"), ("cluster", "'kubernetes'"), ("role", "worker"), ("empty", ""),
        ("owner", "Ana Maria"), ("alt", "10.201.0.0/24"),
    ],
)  # fmt: skip
def test_a_harmless_pair_beside_the_pod_cidr_is_written_back(key: str, value: str) -> None:
    """When the pod CIDR is mended, nothing that was right gets lost."""
    said = read_user_data(base64.b64encode(f"name=w|{key}={value}|pod-cidr=x".encode()).decode())
    assert said.whole == {"name": "w", key: value, "pod-cidr": "x"}
    assert f"{key}=" in pod_cidr.mended(said, "w", "10.200.0.0/24")
