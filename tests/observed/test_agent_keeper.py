"""What sets a node's network card up at its start is told from the notes it keeps while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.observed.agent import keeper as agent

LINK = "# This is private data. Do not parse.\nADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/{}\n"
SEEN: dict[str, tuple[dict[str, str], dict[str, str] | None]] = {
    "Ubuntu": ({"links/2": LINK.format("10-netplan-ens5.network")}, {"by": "netplan"}),
    "Amazon Linux": (
        {"links/2": LINK.format("70-ens5.network")},
        {"by": "networkd", "file": "70-ens5.network"},
    ),
    "a file of networkd's for every card": ({"links/2": LINK.format("80-ec2.network")}, None),
    "a file of netplan's for every card, as on Debian": (
        {"links/2": LINK.format("10-netplan-all-en.network")},
        None,
    ),
    "a card whose name is a part of another's": ({"links/2": LINK.format("70-ens55.network")}, None),
    "a file that leads elsewhere": ({"links/2": LINK.format("ens5/$(id).network")}, None),
    "an interface that networkd leaves alone": ({"links/2": "ADMIN_STATE=unmanaged\n"}, None),
    "Fedora": (
        {"devices/2": "[device]\nmanaged=1\nconnection-uuid=1dd9a779-d327-56e1-8454-c65e2556c12c\n"},
        {"by": "networkmanager"},
    ),
    "a card that NetworkManager leaves alone": ({"devices/2": "[device]\nmanaged=0\n"}, None),
    "ifupdown": ({"network/ifstate": "lo=lo\nens5=ens5\n"}, {"by": "ifupdown"}),
    "ifupdown, another card": ({"network/ifstate": "lo=lo\nens55=ens55\n"}, None),
    "ifupdown, a file for each": ({"network/ifstate.ens5": "ens5\n"}, {"by": "ifupdown"}),
    "nobody": ({}, None),
}


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(agent, "NETWORKD", str(tmp_path / "links"))
    monkeypatch.setattr(agent, "MANAGER", str(tmp_path / "devices"))
    monkeypatch.setattr(agent, "IFSTATE", str(tmp_path / "network"))
    monkeypatch.setattr("socket.if_nametoindex", {"ens5": 2}.__getitem__)
    return tmp_path


@pytest.mark.parametrize(("files", "told"), SEEN.values(), ids=SEEN)
def test_it_is_told_who_has_a_place_for_routes(
    notes: Path, files: dict[str, str], told: dict[str, str] | None
) -> None:
    for name, text in files.items():
        (notes / name).parent.mkdir(exist_ok=True)
        (notes / name).write_text(text)
    assert agent.keeper("ens5") == (told and {"device": "ens5", "file": "", **told})


@pytest.mark.parametrize("device", ["", "a b", "ens5;id", "-f", "x" * 16, "é0"])
def test_of_a_card_whose_name_is_no_plain_word_nothing_is_told(device: str) -> None:
    assert agent.keeper(device) is None
