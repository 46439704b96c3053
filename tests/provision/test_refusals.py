"""What AWS is known to refuse a CreateRoute with is one sentence each, in AWS's words, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kthw.provision.__main__ import main
from kthw.provision.journal import Journal
from kthw.words.messages import LANGUAGES, catalogue
from tests.provision.account import Account
from tests.provision.wire import Wire, refused

TABLE, INSTANCE = "rtb-0c41d7e90b2f8a365", "i-0b7e4c1d92f8a3065"
_STATUS = {"UnauthorizedOperation": 403}
REFUSALS = (
    ("MissingParameter", "The request must contain the parameter routeTableId"),
    (
        "InvalidInstanceID",
        f"There are multiple interfaces attached to instance '{INSTANCE}'. Please specify an interface ID "
        "for the operation instead.",
    ),
    (
        "InvalidParameterValue",
        "Value () for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.",
    ),
    ("InvalidGatewayID.NotFound", "The gateway ID 'nat-0f5a9c3e7d1b28460' does not exist"),
    (
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:iam::210987654321:user/student "
        "is not authorized to perform: ec2:CreateRoute on resource: "
        f"arn:aws:ec2:sa-east-1:210987654321:route-table/{TABLE} because no identity-based policy allows the "
        "ec2:CreateRoute action",
    ),
    (
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. "
        f"Encoded authorization failure message: {'4Tq' * 400}",
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_one_sentence_for_each_route(
    aws_account: Account,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
) -> None:
    aws_account.build()
    for name in [name for name in os.environ if name.startswith(("AWS_", "LC_", "LANG"))]:
        monkeypatch.delenv(name)
    for name, value in Account.over(wire, aws_account).environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(aws_account.directory / "state"))
    journal = str(aws_account.directory / "journal.jsonl")
    told = catalogue(language).say("provision-failed", route_table=aws_account.table, detail="…").split("…")
    for three in (REFUSALS[:3], REFUSALS[3:]):
        wire.on("CreateRoute", *(refused(*each, status=_STATUS.get(each[0], 400)) for each in three))
        assert main(["apply", "--language", language, "--journal", journal]) == 1
        said = capsys.readouterr()
        assert said.err == ""
        steps = said.out.splitlines()[-6:]
        for n, (code, message) in enumerate(three):
            line, command = steps[2 * n : 2 * n + 2]
            before, after = told
            assert line.startswith(f"10.0.1.2{n} 10.200.{n}.0/24  {before}{code}: {message[:80]}")
            assert line.endswith(after)
            assert len(line) < 800
            assert command.startswith(f"    aws ec2 create-route --route-table-id {aws_account.table} ")
    assert aws_account.pod_routes() == {}
    assert Journal(Path(journal)).open() == []
