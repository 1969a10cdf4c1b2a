"""`kuimen inventory` on an installation: list, correct, replay."""

import json
from pathlib import Path

import pytest

from fixtures.commands import CommandHome, kuimen
from fixtures.lender import mobile

pytestmark = pytest.mark.slow


def test_the_directory_is_listed_corrected_and_replayed_at_the_terminal(
    command_home: CommandHome, tmp_path: Path
) -> None:
    lines = ["phone,ext9", *(f"{mobile(at)},{900000 + at}" for at in range(40))]
    (tmp_path / "cli_people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    home = ("--home", str(command_home.home))
    assert kuimen("scan", "--source", str(tmp_path), "--overlay", "fictitious", "--json", *home).code == 0

    listed = kuimen("inventory", "list", "--json", "--text", "cli_people", *home)
    assert [json.loads(line)["place"] for line in listed.out.splitlines()] == ["cli_people.csv.phone"]

    def correct(place: str, element: str) -> dict[str, object]:
        done = kuimen("inventory", "correct", place, "--element", element, "--reason", "人工核对", *home)
        assert done.code == 0, done.err
        return dict(json.loads(done.out))

    assert correct("cli_people.csv.ext9", "qq")["state"] == "in_force"
    assert correct("cli_people.csv.phone", "none")["state"] == "proposed"
    assert kuimen("inventory", "correct", "cli_people.csv.nope", "--element", "qq", "--reason", "x y", *home).code == 3

    replayed = kuimen("inventory", "replay", "--json", *home)
    assert replayed.code == 0
    cases = {case["place"]: case["holds"] for case in map(json.loads, replayed.out.splitlines())}
    assert cases["cli_people.csv.ext9"] is True

    (waiting,) = [
        one
        for one in map(json.loads, kuimen("inventory", "proposals", *home).out.splitlines())
        if one["place"] == "cli_people.csv.phone"
    ]
    assert (waiting["found_element"], waiting["element"]) == ("mobile", None)
    foreign = tmp_path / "foreign"
    foreign.write_text("kuimen_not-a-token\n", encoding="utf-8")
    foreign.chmod(0o600)
    decided = kuimen("inventory", "decide", waiting["correction_id"], "approve", "--token-file", str(foreign), *home)
    assert decided.code == 5, "nobody decides without having signed in"
