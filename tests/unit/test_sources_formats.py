"""Every form of file that people keep data in: found by element, in bounded memory, and what stays unread is named."""

import gzip
import io
import random
import resource
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from fixtures.commands import environment, kuimen
from fixtures.lender import mobile, person_name, resident_id
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.sources import logscan, stored
from kuimen.sources.encodings import examine
from kuimen.sources.folder import FolderSource
from kuimen.sources.logscan import find_in_lines
from kuimen.sources.prose import findings_in
from kuimen.sources.scan import ScanRow, is_partial, scan_source

PEOPLE = 60
PROSE = "本公司与借款人就逾期还款事宜达成如下协议，双方应当按照约定的期限履行各自的义务。"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def scan(path: Path) -> list[ScanRow]:
    return list(scan_source(str(path), overlay="fictitious"))


def elements(rows: list[ScanRow]) -> set[tuple[str | None, str | None, str | None]]:
    return {(row.file, row.column, row.element) for row in rows if row.element is not None}


def unread(rows: list[ScanRow]) -> dict[str | None, str]:
    return {row.file: str(row.reason) for row in rows if row.state == "not_read"}


def csv_text() -> str:
    return "xm,sjhm\n" + "\n".join(f"{person_name(row)},{mobile(row)}" for row in range(PEOPLE)) + "\n"


def docx(paragraphs: list[str], cells: list[list[str]]) -> bytes:
    def paragraph(text: str) -> str:
        half = len(text) // 2  # a word processor cuts its runs anywhere
        return f"<w:p><w:r><w:t>{text[:half]}</w:t></w:r><w:r><w:t>{text[half:]}</w:t></w:r></w:p>"

    rows = "".join("<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in cells)
    body = "".join(map(paragraph, paragraphs)) + f"<w:tbl>{rows}</w:tbl>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>')
    return out.getvalue()


def encrypted_zip(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, csv_text())
    data = bytearray(out.getvalue())
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flag] |= 1
    return bytes(data)


def test_a_workbook_is_read_sheet_by_sheet_below_its_title(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "客户"
    sheet.append([f"联系人 {person_name(0)}"])
    sheet.append(["客户姓名", "手机号", "证件号码", "日期"])
    for row in range(PEOPLE):
        sheet.append([person_name(row), int(mobile(row)), resident_id(row), date(2026, 1, 5)])
    hidden = book.create_sheet("旧")
    hidden.sheet_state = "hidden"
    hidden.append(["x"])
    book.save(tmp_path / "book.xlsx")
    rows = scan(tmp_path)
    assert elements(rows) >= {
        ("book.xlsx#客户", "客户姓名", "person_name"),
        ("book.xlsx#客户", "手机号", "mobile"),
        ("book.xlsx#客户", "证件号码", "resident_id"),
    }
    assert next(row for row in rows if row.column == "手机号").rows == PEOPLE
    assert any(row.file == "book.xlsx#旧" for row in rows)
    assert not is_partial(rows)


def test_parquet_is_sampled_over_its_row_groups_and_nested_values_are_opened(tmp_path: Path) -> None:
    table = pa.table(
        {
            "sjhm": [mobile(row) for row in range(5000)],
            "cust": [{"id_no": resident_id(row), "tags": ["a"]} for row in range(5000)],
            "leer": pa.array([None] * 4999 + [mobile(7)], pa.string()),
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=500)
    rows = {row.column: row for row in scan(tmp_path)}
    assert (rows["sjhm"].element, rows["cust.id_no"].element) == ("mobile", "resident_id")
    assert rows["sjhm"].rows == 5000
    assert rows["leer"].state == "clear"


def test_a_document_is_read_by_paragraph_and_table_row(tmp_path: Path) -> None:
    table = [["姓名", person_name(3)], ["手机号码", mobile(3)]]
    (tmp_path / "vertrag.docx").write_bytes(docx([PROSE, f"身份证号：{resident_id(3)}"], table))
    rows = scan(tmp_path)
    assert elements(rows) >= {("vertrag.docx", None, "resident_id"), ("vertrag.docx", None, "mobile")}
    assert next(row for row in rows if row.element == "resident_id").first_lines == (2,)


def test_a_document_that_declares_entities_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    (tmp_path / "bomb.docx").write_bytes(out.getvalue())
    assert "entities" in unread(scan(tmp_path))["bomb.docx"]


def test_text_of_a_pdf_is_found_with_its_page(tmp_path: Path) -> None:
    import pypdfium2

    made = pypdfium2.PdfDocument.new()
    for text in ("page one", f"contact a.b@example.com mobile={mobile(5)}"):
        page = made.new_page(400, 400)
        handle = pypdfium2.raw.FPDFPageObj_NewTextObj(made.raw, b"Helvetica", 12.0)
        encoded = (text + "\x00").encode("utf-16-le")
        buffer = (pypdfium2.raw.c_ushort * (len(encoded) // 2)).from_buffer_copy(encoded)
        pypdfium2.raw.FPDFText_SetText(handle, buffer)
        pypdfium2.raw.FPDFPageObj_Transform(handle, 1, 0, 0, 1, 20, 200)
        pypdfium2.raw.FPDFPage_InsertObject(page.raw, handle)
        page.gen_content()
    made.save(str(tmp_path / "text.pdf"))
    rows = {row.element: row for row in scan(tmp_path)}
    assert rows["email"].first_lines == (2,)
    assert "page 2" in rows["mobile"].evidence[0]


def test_archives_are_read_like_folders_and_inside_one_another(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep/app.log", f"login mobile={mobile(1)}\n")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("导出/kh.csv", csv_text().encode("gb18030"))
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("old.log.gz", gzip.compress(f"mobile={mobile(2)}\n".encode()))
        archive.writestr("note.docx", docx([f"手机{mobile(3)}"], []))
        archive.writestr("leer.txt", b"")
    rows = scan(tmp_path)
    assert elements(rows) >= {
        ("a.zip!/导出/kh.csv", "sjhm", "mobile"),
        ("a.zip!/inner.zip!/deep/app.log", None, "mobile"),
        ("a.zip!/old.log.gz", None, "mobile"),
        ("a.zip!/note.docx", None, "mobile"),
    }
    assert not is_partial(rows), "an empty file holds nothing that could be missed"


def test_encrypted_bombs_and_overlapping_archives_are_named_unread(tmp_path: Path) -> None:
    (tmp_path / "locked.zip").write_bytes(encrypted_zip("kh.csv"))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", b"0" * (80 << 20))
        archive.writestr("ok.log", f"mobile={mobile(1)}\n")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(stored.MAX_MEMBERS + 1):
            archive.writestr(f"{number}", b"")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "bomb.zip").read_bytes()[:2000])
    (tmp_path / "locked.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"))
    rows = scan(tmp_path)
    reasons = unread(rows)
    assert "password" in reasons["locked.zip!/kh.csv"]
    assert "bomb" in reasons["bomb.zip!/zeros.txt"]
    assert "entries" in reasons["many.zip"]
    assert "broken" in reasons["cut.zip"]
    assert "password" in reasons["locked.xlsx"]
    assert ("bomb.zip!/ok.log", None, "mobile") in elements(rows), "what is harmless beside them is read"
    assert is_partial(rows)


def test_a_gzip_bomb_stops_and_what_came_before_it_counts(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.log.gz", "wb", compresslevel=6) as out:
        out.write(f"mobile={mobile(1)}\n".encode())
        line = (b" " * 1023 + b"\n") * 1024
        for _ in range(80):
            out.write(line)
    rows = scan(tmp_path)
    assert ("bomb.log.gz", None, "mobile") in elements(rows)
    assert "bomb" in unread(rows)["bomb.log.gz"]
    assert next(row for row in rows if row.element == "mobile").partial


@pytest.mark.parametrize("size", [300, 20_000])
def test_a_file_that_breaks_off_gives_what_stands_before_the_break(tmp_path: Path, size: int) -> None:
    random.seed(5)
    text = "".join(f"{random.random()} mobile={mobile(row)}\n" for row in range(4000))
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(text.encode())[:size])
    rows = scan(tmp_path)
    assert is_partial(rows)
    assert ("cut.log.gz", None, "mobile") in elements(rows) or size < 1000


def test_an_encoding_is_taken_on_evidence() -> None:
    for name in ("utf-8", "gb18030"):
        found = examine((PROSE * 20).encode(name))
        assert found is not None
        assert (found.encoding, found.damaged) == (name, False)
    broken = examine((PROSE * 20).encode() + b"\xff" + PROSE.encode())
    assert broken is not None
    assert (broken.encoding, broken.damaged) == ("utf-8", True), "one bad byte makes no other encoding"
    wide = examine("手机号 mobile phone\r\n".encode("utf-16-le") * 20)
    assert wide is not None
    assert wide.encoding == "utf-16-le"
    assert examine(random.Random(3).randbytes(4000)) is None


def test_bytes_that_are_no_text_are_named_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [PROSE.encode() for _ in range(30)]
    lines[4] = b"\xff\xfe\xfd " + PROSE.encode()
    lines[9] = f"手机 {mobile(1)}".encode()
    (tmp_path / "a.log").write_bytes(b"\n".join(lines))
    rows = scan(tmp_path)
    assert ("a.log", None, "mobile") in elements(rows)
    assert unread(rows)["a.log"].startswith("line 5: bytes")
    assert is_partial(rows)


def test_a_quote_that_never_ends_swallows_nothing(tmp_path: Path) -> None:
    lines = csv_text().splitlines()
    lines[3] = f'"{lines[3]}'
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    rows = scan(tmp_path)
    mobiles = next(row for row in rows if row.column == "sjhm")
    assert (mobiles.element, mobiles.rows) == ("mobile", PEOPLE)
    assert unread(rows)["a.csv"].startswith("line 4: a quote never ends")


def test_lines_read_in_blocks_and_windows_give_what_each_gives_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(11)
    lines = []
    for row in range(400):
        shape = rng.random()
        lines.append(
            f"INFO mobile={mobile(row)} ok\n" if shape < 0.2
            else f"致电客户{person_name(row)}，身份证{resident_id(row)}\n" if shape < 0.4
            else f"INFO order={rng.randrange(10**17)} cost={row}ms\n"
        )  # fmt: skip
    alone = sum(len(findings_in(line, tables=FICTITIOUS)) for line in lines)
    together = find_in_lines(enumerate(lines, start=1), tables=FICTITIOUS)
    assert sum(hit.count for hit in together.hits) == alone
    assert together.lines == len(lines)
    endless = "".join(lines).replace("\n", " , ")
    whole = sum(len(findings_in(line.replace("\n", " , "), tables=FICTITIOUS)) for line in lines)
    for window in (2048, 5000):
        monkeypatch.setattr(logscan, "_WINDOW_CHARACTERS", window)
        pieces = [(1, endless[at : at + 3000]) for at in range(0, len(endless), 3000)]
        cut = find_in_lines(pieces, tables=FICTITIOUS)
        ids = {hit.element: hit.count for hit in cut.hits}
        assert ids["mobile"] == sum("mobile=" in line for line in lines)
        assert ids["resident_id"] == sum("身份证" in line for line in lines)
    assert whole


@pytest.mark.parametrize("shape", ["one line", "table", "log"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, shape: str) -> None:
    def make(path: Path, size: int) -> None:
        with path.open("w", encoding="utf-8") as out:
            if shape == "table":
                out.write("id,note\n")
            written = 0
            while written < size:
                written += out.write(
                    {
                        "one line": "x" * 4000 + f" mobile={mobile(1)} ",
                        "table": "1,xxxxxxxxxxxxxxxxxxxx\n" * 50,
                        "log": "INFO step ok\n" * 80,
                    }[shape]
                )

    def peak(path: Path) -> int:
        code = (
            "import resource,sys\nfrom kuimen.sources.scan import scan_source\n"
            "rows=list(scan_source(sys.argv[1],overlay='fictitious'))\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], env=environment(), capture_output=True, text=True, timeout=250,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)), check=True,
        )  # fmt: skip
        return int(done.stdout) // 1024

    suffix = "csv" if shape == "table" else "log"
    small, large = tmp_path / f"s.{suffix}", tmp_path / f"l.{suffix}"
    make(small, 100_000)
    make(large, 24 << 20)
    assert peak(large) - peak(small) < 24, "megabytes more for two hundred times the file"


def test_the_exit_code_says_whether_everything_was_read(tmp_path: Path) -> None:
    whole, partial = tmp_path / "whole", tmp_path / "partial"
    for folder in (whole, partial):
        folder.mkdir()
        (folder / "kh.csv").write_text(csv_text(), encoding="utf-8")
        (folder / "empty.txt").touch()
    (partial / "locked.zip").write_bytes(encrypted_zip("kh.csv"))
    complete = kuimen("scan", "--source", whole, "--overlay", "fictitious", "--json", "--home", tmp_path / "none")
    left = kuimen("scan", "--source", partial, "--overlay", "fictitious", "--json", "--home", tmp_path / "none")
    assert complete.code == 0, complete.err
    assert left.code == 8
    assert {row["file"] for row in left.rows if row["state"] == "not_read"} == {"empty.txt", "locked.zip!/kh.csv"}
    assert any(row["element"] == "mobile" for row in left.rows), "what could be read is in the result"
    assert not any(mobile(row) in left.out for row in range(PEOPLE))


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"mobile={mobile(1)}\n", encoding="utf-8")
    with FolderSource(tmp_path) as source:
        found = list(source._walk(tmp_path / "vanished"))
    assert [(one.name, one.missed) for one in found] == [("vanished/", True)]
    assert "cannot be listed" in str(found[0].reason)
