"""Files of a lender: rewritten whole or not at all, masks in place of values, nothing left beside them."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from fixtures.installed import System
from fixtures.lender import mobile, person_name, resident_id
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.inventory.models import Asset
from kuimen.governance.protection import services as protection
from kuimen.governance.protection.files import NEW_SUFFIX, OLD_SUFFIX
from kuimen.governance.protection.proof import ProofReport
from kuimen.governance.protection.reports import ProtectReport


def run(folder: Path) -> tuple[ProtectReport, ProofReport]:
    made = protection.plan(str(folder), actor=SYSTEM, overlay="fictitious")
    report = protection.protect(made, actor=SYSTEM)
    protection.scrub(made, actor=SYSTEM)
    return report, protection.prove(made, actor=SYSTEM)


def write_csv(path: Path, *, encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["借据号", "客户姓名", "手机号", "金额"])
        for index in range(40):
            writer.writerow([f"L{index:06d}", person_name(index), mobile(index), "10.00"])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_personal_columns_become_masks_and_the_others_stay(system: System, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "overdue.csv"
    write_csv(path, encoding=encoding)
    path.chmod(0o640)
    report, proof = run(tmp_path)
    rows = list(csv.DictReader(path.read_text(encoding=encoding).splitlines()))
    assert [row["借据号"] for row in rows] == [f"L{index:06d}" for index in range(40)]
    assert {(row["客户姓名"], row["手机号"], row["金额"]) for row in rows} == {("******", "******", "10.00")}
    assert report.values_destroyed == 80
    assert proof.residual_clear_values == 0
    assert proof.needles_raw >= 40
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["overdue.csv"]


def test_surplus_fields_of_malformed_lines_are_masked_too(system: System, tmp_path: Path) -> None:
    path = tmp_path / "overdue.csv"
    write_csv(path)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"L9,x,{mobile(1)},1.00,{mobile(2)}\n")
    run(tmp_path)
    assert mobile(1) not in path.read_text(encoding="utf-8")
    assert mobile(2) not in path.read_text(encoding="utf-8")


@pytest.mark.clause("CQJR-6.5-b")
@pytest.mark.parametrize("compressed", [False, True])
def test_a_log_is_redacted_line_by_line(system: System, tmp_path: Path, *, compressed: bool) -> None:
    lines = [f"INFO {number} ok" for number in range(20)]
    lines[3] = f"INFO login mobile={mobile(1)} ok"
    lines[7] = f"ERROR duplicate id_no={resident_id(1)}"
    data = "\n".join(lines).encode()
    path = tmp_path / ("app.log.gz" if compressed else "app.log")
    path.write_bytes(gzip.compress(data) if compressed else data)
    report, proof = run(tmp_path)
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if compressed else raw).decode().splitlines()
    assert text[3] == "INFO login mobile=****** ok"
    assert text[7] == "ERROR duplicate id_no=******"
    assert [text[number] for number in (0, 19)] == ["INFO 0 ok", "INFO 19 ok"]
    assert (report.values_destroyed, proof.residual_clear_values) == (2, 0)
    assert set(Asset.objects.filter(file_name=path.name).exclude(element="").values_list("state", flat=True)) == {
        "destroyed"
    }


def test_json_lines_keep_their_shape(system: System, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        "\n".join(json.dumps({"n": index, "cust": {"phone": mobile(index)}}) for index in range(30)), encoding="utf-8"
    )
    run(tmp_path)
    documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert documents == [{"n": index, "cust": {"phone": "******"}} for index in range(30)]


def test_leftovers_of_a_killed_run_are_cleared_and_the_file_is_whole(system: System, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text(f"INFO mobile={mobile(1)}\n", encoding="utf-8")
    (tmp_path / f".app.log{NEW_SUFFIX}").write_text("INFO mob", encoding="utf-8")
    (tmp_path / f".app.log{OLD_SUFFIX}").write_text(f"INFO mobile={mobile(1)}\n", encoding="utf-8")
    run(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["app.log"]
    assert path.read_text(encoding="utf-8") == "INFO mobile=******\n"


def test_what_cannot_be_read_is_listed_and_never_counted_as_nothing(system: System, tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.7 ...")
    _, proof = run(tmp_path)
    assert any("scan.pdf" in line and "pdf" in line for line in proof.not_covered)


def test_the_audit_log_tells_counts_and_no_value(system: System, tmp_path: Path) -> None:
    write_csv(tmp_path / "overdue.csv")
    run(tmp_path)
    entries = {entry.action: bytes(entry.body).decode() for entry in Entry.objects.all()}
    assert {"protection.plan", "protection.start", "protection.file", "protection.finish", "protection.scrub"} <= set(
        entries
    )
    assert '"values_destroyed":80' in entries["protection.file"]
    assert not any(mobile(1) in body or person_name(1) in body for body in entries.values())
