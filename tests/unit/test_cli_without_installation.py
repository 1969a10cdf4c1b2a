"""What the command line does with no installation anywhere: help, scan, detect, classify, and clear refusals."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixtures.commands import kuimen
from fixtures.lender import mobile, person_name, resident_id

COMMANDS = (
    "init", "demo", "serve", "worker", "scan", "protect", "assess", "audit", "audit verify", "audit export", "check",
    "detect", "classify", "analyze-server",
)  # fmt: skip
SCAN_FIELDS = {"source", "column", "element", "category", "level", "likelihood", "rows", "sampled", "state"}


def person(index: int = 1) -> dict[str, str]:
    return {"xm": person_name(index), "sjhm": mobile(index), "id_no": resident_id(index)}


def test_every_command_helps() -> None:
    listed = kuimen("--help")

    assert listed.code == 0
    for command in COMMANDS:
        assert command.split()[0] in listed.out


def test_help_of_each_command_names_its_options() -> None:
    with ThreadPoolExecutor(2) as pool:
        for command, helped in zip(
            COMMANDS, pool.map(lambda name: kuimen(*name.split(), "--help"), COMMANDS), strict=True
        ):
            assert helped.code == 0, command
            assert helped.out.startswith(f"Usage: kuimen {command}")
            assert "--help" in helped.out


def test_scan_needs_no_installation_and_prints_one_object_a_line(tmp_path: Path) -> None:
    rows = [person(index) for index in range(30)]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    (tmp_path / "customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "ops.log").write_text(f"2026-01-05 sms sent mobile={mobile(7)} ok\n" * 3, encoding="utf-8")

    scanned = kuimen("scan", "--source", tmp_path, "--overlay", "fictitious", "--json", "--home", tmp_path / "none")

    assert scanned.code == 0, scanned.err
    assert all(row.keys() >= SCAN_FIELDS and ("file" in row or "table" in row) for row in scanned.rows)
    found = {(row["file"], row["column"]): row for row in scanned.rows}
    assert {name: found["customers.csv", name]["element"] for name in rows[0]} == {
        "xm": "person_name", "sjhm": "mobile", "id_no": "resident_id",
    }  # fmt: skip
    assert found["customers.csv", "id_no"]["rows"] == 30
    assert found["ops.log", None]["element"] == "mobile"
    for row in rows:
        assert not any(value in scanned.out for value in row.values()), "the output never holds a value"
    assert not (tmp_path / "none").exists()


def test_a_malformed_csv_is_named_by_line_and_its_text_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(f"xm,sjhm\n{person_name(1)},{mobile(1)}\n{mobile(2)}\n", encoding="utf-8")

    scanned = kuimen("scan", "--source", tmp_path, "--overlay", "fictitious", "--json", "--home", tmp_path / "none")

    unread = [row for row in scanned.rows if row["state"] == "not_read"]
    assert [row["reason"] for row in unread] == ["line 3: 1 fields instead of 2"]
    assert all(row["partial"] for row in scanned.rows if row["state"] != "not_read")
    assert scanned.code == 8, "a scan that could not read everything says so"
    assert mobile(2) not in scanned.out + scanned.err


def test_a_source_that_is_nowhere_is_an_input_error_without_its_password(tmp_path: Path) -> None:
    missing = kuimen("scan", "--source", tmp_path / "nowhere", "--json", "--home", tmp_path / "none")
    address = "postgresql://u:top-secret-word@127.0.0.1:1/db"
    closed = kuimen("scan", "--source", address, "--json", "--home", tmp_path / "none")

    assert (missing.code, missing.out) == (2, "")
    assert missing.error["error"]
    assert (closed.code, closed.out) == (7, "")
    assert "top-secret-word" not in closed.err


def test_a_wrong_option_is_a_usage_error_also_as_json(tmp_path: Path) -> None:
    assert kuimen("scan", "--no-such-option").code == 2
    told = kuimen("scan", "--json", "--source", tmp_path, "--sample-rows", "0")
    assert (told.code, told.error["error"]) == (2, "usage")


@pytest.mark.parametrize("command", ["serve", "protect", "assess", "worker", "audit verify"])
def test_commands_on_an_installation_say_that_there_is_none(command: str, tmp_path: Path) -> None:
    source = ("--source", tmp_path) if command == "protect" else ()

    refused = kuimen(*command.split(), "--home", tmp_path / "none", *source)

    assert (refused.code, refused.out) == (4, "")
    assert "kuimen init" in refused.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("officers", "code"),
    [(("A001:甲",), 2), (("A001:甲", "A001:乙"), 2), (("A001", "A002:乙"), 2), (("A001:甲", "A002:乙", "A003:丙"), 2)],
)
def test_init_wants_exactly_two_different_officers(officers: tuple[str, ...], code: int, tmp_path: Path) -> None:
    named = [text for officer in officers for text in ("--officer", officer)]

    refused = kuimen(
        "init", "--name", "X", *named, "--home", tmp_path / "h", "--draw-secrets-into", tmp_path / "s", "--json"
    )

    assert (refused.code, refused.error["error"]) == (code, "init.officer")
    assert not (tmp_path / "h").exists()
    assert not (tmp_path / "s").exists()


def test_secrets_are_not_drawn_into_the_home(tmp_path: Path) -> None:
    officers = ("--officer", "A001:甲", "--officer", "A002:乙")
    inside = tmp_path / "h" / "secrets"

    refused = kuimen(
        "init", "--name", "X", *officers, "--home", tmp_path / "h", "--draw-secrets-into", inside, "--json"
    )

    assert (refused.code, refused.error["error"]) == (2, "init.secrets_folder")
    assert not inside.exists()


def test_detect_reads_lines_and_writes_places_without_values() -> None:
    text = f"客户手机{mobile(3)}，身份证{resident_id(3)}。"
    given = json.dumps({"id": 7, "text": text}) + "\n\n" + json.dumps({"id": "b", "text": "没有"}) + "\n"

    found = kuimen("detect", "--jsonl", "--overlay", "fictitious", given=given)

    assert found.code == 0, found.err
    first, second = found.rows
    assert second == {"id": "b", "findings": []}
    assert first["id"] == 7
    assert {item["element"]: text[item["start"] : item["end"]] for item in first["findings"]} == {
        "mobile": mobile(3), "resident_id": resident_id(3),
    }  # fmt: skip
    assert all(item.keys() == {"element", "start", "end", "category", "likelihood"} for item in first["findings"])
    assert mobile(3) not in found.out


def test_a_line_that_is_no_json_is_named_by_number_and_not_quoted() -> None:
    refused = kuimen("detect", "--jsonl", given=f'{{"text": "a"}}\n{mobile(4)} and more\n')

    assert refused.code == 2
    assert "line 2" in refused.err
    assert mobile(4) not in refused.err


def test_an_unknown_likelihood_is_an_input_error() -> None:
    assert kuimen("detect", "--jsonl", "--min-likelihood", "certainly", given='{"text": "a"}\n').code == 2


def test_classify_names_the_element_of_each_column() -> None:
    columns = [
        {"table": "t", "name": "sjhm", "comment": "", "type": "varchar(11)", "values": [mobile(i) for i in range(20)]},
        {"table": "t", "name": "remark_flag", "comment": "", "type": "int", "values": ["0", "1"] * 10},
        {"name": "id_no"},
    ]

    found = kuimen("classify", "--jsonl", "--overlay", "fictitious", given="\n".join(map(json.dumps, columns)))

    assert found.code == 0, found.err
    assert [row["element"] for row in found.rows] == ["mobile", None, "resident_id"]
    assert found.rows[0].keys() == {"element", "category", "level", "likelihood"}
    assert found.rows[1] == {"element": None}


@pytest.mark.parametrize(
    "line", ['{"name": "a", "values": 5}', '{"name": 5}', '{"name": "a", "values": [{"b": 1}]}', '{"table": "t"}', "[]"]
)
def test_a_column_of_the_wrong_shape_is_an_input_error(line: str) -> None:
    refused = kuimen("classify", "--jsonl", given=line + "\n")

    assert refused.code == 2
    assert "line 1" in refused.err
