"""Files as sources: encodings, dialects, malformed lines, what is not read and why; never a value in a report."""

import gzip
import json
from pathlib import Path

import pytest

from kuimen.sources.errors import CredentialsFileError, SourceLocationError
from kuimen.sources.opening import connection_parameters, open_source
from kuimen.sources.postgresql import label_of
from kuimen.sources.scan import ScanRow, scan_source

PHONES = [f"1999000{number:04d}" for number in range(40)]
NAMES = ["王伟", "李秀英", "张娜", "刘建国"] * 10


def scan(path: Path) -> list[ScanRow]:
    return list(scan_source(str(path), overlay="fictitious"))


def by_column(rows: list[ScanRow]) -> dict[str | None, ScanRow]:
    return {row.column: row for row in rows if row.state != "not_read"}


def csv_text(delimiter: str = ",") -> str:
    lines = [delimiter.join(("客户姓名", "手机号", "金额"))]
    lines += [delimiter.join((name, phone, "12.50")) for name, phone in zip(NAMES, PHONES, strict=True)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_file_is_read_in_any_usual_encoding_and_dialect(tmp_path: Path, encoding: str, delimiter: str) -> None:
    (tmp_path / "export.csv").write_text(csv_text(delimiter), encoding=encoding)
    found = by_column(scan(tmp_path))
    assert found["手机号"].element == "mobile"
    assert found["客户姓名"].element == "person_name"
    assert found["金额"].element != "mobile"
    assert found["手机号"].rows == 40


def test_malformed_lines_are_named_by_line_and_still_looked_at(tmp_path: Path) -> None:
    lines = csv_text().splitlines()
    lines[7] = "只有一格"
    lines[9] += ",19990009999"
    (tmp_path / "export.csv").write_text("\n".join(lines), encoding="utf-8")
    rows = scan(tmp_path)
    reasons = {row.reason for row in rows if row.state == "not_read"}
    assert reasons == {"line 8: 1 fields instead of 3", "line 10: 4 fields instead of 3"}
    assert not any("19990009999" in json.dumps(row.as_json(), ensure_ascii=False) for row in rows)


def test_quoted_line_breaks_do_not_shift_line_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b\n"x\ny",1\n2\n', encoding="utf-8")
    assert [row.reason for row in scan(tmp_path) if row.state == "not_read"] == ["line 4: 1 fields instead of 2"]


def test_a_table_without_header_gets_numbered_columns(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("\n".join(f"{phone},x" for phone in PHONES), encoding="utf-8")
    found = by_column(scan(tmp_path))
    assert found["column_1"].element == "mobile"
    assert found["column_1"].rows == 40


@pytest.mark.parametrize("compressed", [False, True])
def test_a_log_is_reported_by_element_with_first_lines_and_no_value(tmp_path: Path, *, compressed: bool) -> None:
    lines = [f"INFO step={number} ok" for number in range(50)]
    lines[10] = "INFO login mobile=19990000001"
    lines[20] = "INFO 致电客户 19990000002 无人接听"
    data = "\n".join(lines).encode()
    (tmp_path / ("app.log.gz" if compressed else "app.log")).write_bytes(gzip.compress(data) if compressed else data)
    rows = scan(tmp_path)
    mobile = next(row for row in rows if row.element == "mobile")
    assert (mobile.hits, mobile.first_lines, mobile.rows) == (2, (11, 21), 50)
    assert not any("1999000" in json.dumps(row.as_json(), ensure_ascii=False) for row in rows)


def test_a_clean_log_is_in_the_result_without_element(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("INFO ok\n" * 3, encoding="utf-8")
    assert [(row.file, row.element, row.state) for row in scan(tmp_path)] == [("app.log", None, "clear")]


def test_json_lines_are_flattened_and_broken_ones_named(tmp_path: Path) -> None:
    documents = [json.dumps({"cust": {"phone": phone, "tags": ["a"]}}) for phone in PHONES]
    (tmp_path / "events.jsonl").write_text("\n".join([*documents, "{broken"]), encoding="utf-8")
    rows = scan(tmp_path)
    assert by_column(rows)["cust.phone"].element == "mobile"
    assert [row.reason for row in rows if row.state == "not_read"] == ["line 41: not a JSON value"]


def test_what_is_not_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    (tmp_path / "c.xlsx").write_bytes(b"PK\x03\x04xx")
    (tmp_path / "d.log").write_bytes(b"")
    (tmp_path / "e.gz").write_bytes(b"\x1f\x8b\x08broken")
    (tmp_path / "f.log").symlink_to(tmp_path / "a.pdf")
    reasons = {row.file: row.reason for row in scan(tmp_path)}
    assert all(row.state == "not_read" for row in scan(tmp_path))
    assert reasons == {
        "a.pdf": "pdf: broken, it cannot be opened",
        "b.bin": "binary or of an unknown encoding",
        "c.xlsx": "archive: broken, its directory cannot be read",
        "d.log": "empty file",
        "e.gz": "file: cannot be opened, or is a broken gzip file",
        "f.log": "a link; scan its target",
    }


def test_one_file_is_a_source_too(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(csv_text(), encoding="utf-8")
    assert by_column(scan(path))["手机号"].file == "export.csv"


def test_the_same_file_gives_the_same_answer(tmp_path: Path) -> None:
    text = "phone\n" + "\n".join(f"1999000{number % 10_000:04d}" for number in range(5_000))
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert [row.as_json() for row in scan(tmp_path)] == [row.as_json() for row in scan(tmp_path)]


def test_the_public_form_has_the_promised_names(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(csv_text(), encoding="utf-8")
    shown = scan(tmp_path)[0].as_json()
    promised = {"source", "file", "column", "element", "category", "level", "likelihood", "rows", "sampled", "state"}
    assert promised <= set(shown)
    database = ScanRow(source="h/db", schema="s", table="t", column="c").as_json()
    assert {"source", "schema", "table", "column", "element", "state"} <= set(database)


@pytest.mark.parametrize("location", ["/nonexistent/folder", "postgresql://h:p@[broken", "dbname='open"])
def test_a_wrong_location_is_refused_without_repeating_it(location: str) -> None:
    with pytest.raises(SourceLocationError) as caught:
        open_source(location)
    assert location not in str(caught.value)


def test_an_unknown_overlay_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n", encoding="utf-8")
    with pytest.raises(SourceLocationError):
        list(scan_source(str(tmp_path), overlay="production-but-nicer"))


def test_credentials_come_from_a_file_in_two_forms(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("# reader\nuser=reader\npassword=a=b c\n", encoding="utf-8")
    assert connection_parameters("postgresql://h/db", credentials_file=path) == {
        "host": "h",
        "dbname": "db",
        "user": "reader",
        "password": "a=b c",
    }
    path.write_text("only-the-password\n", encoding="utf-8")
    assert connection_parameters("postgresql://u@h/db", credentials_file=path)["password"] == "only-the-password"


@pytest.mark.parametrize("content", [b"", b"host=evil\nuser=x\n", b"\xff\xfe\x00"])
def test_a_malformed_credentials_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(content)
    with pytest.raises(CredentialsFileError):
        connection_parameters("postgresql://h/db", credentials_file=path)


def test_a_label_never_holds_credentials() -> None:
    parameters = connection_parameters("postgresql://user:secret@db.example:6000/core?sslmode=require")
    assert label_of(parameters) == "db.example:6000/core"
    assert label_of({"host": "/run/socket", "dbname": "core", "password": "secret"}) == "local/core"
