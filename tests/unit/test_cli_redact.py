"""`kuimen redact`: streams, checks with file and line, files rewritten at once or not at all."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from kuimen.entrypoints.cli.main import kuimen
from kuimen.kernels.detection.streaming import StreamRedactor
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.sources.errors import FileChangedError, UnredactableFileError
from kuimen.sources.redacting import rewrite_redacted

PERSON = make_identity(Random(4), 6)
LOG = f"start\n手机{PERSON.mobile}绑卡\nidNo={PERSON.resident_id} ok\n"
CLEAN = "start\n手机<mobile>绑卡\nidNo=<resident_id> ok\n"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(kuimen, ["redact", "--overlay", "fictitious", *arguments])
    return result.exit_code, result.stdout


@pytest.mark.clause("CQJR-6.5-b")
def test_a_log_with_personal_data_is_found_named_and_rewritten(tmp_path: Path) -> None:
    log, packed = tmp_path / "app.log", tmp_path / "app.log.1.gz"
    log.write_text(LOG, encoding="utf-8")
    log.chmod(0o640)
    packed.write_bytes(gzip.compress(LOG.encode()))
    code, told = run("--check", "--json", str(log), str(packed))
    reports = [json.loads(line) for line in told.splitlines()]
    assert code == 1
    assert [[(one["line"], one["element"]) for one in report["findings"]] for report in reports] == [
        [(2, "mobile"), (3, "resident_id")]
    ] * 2
    assert PERSON.mobile not in told
    assert run("--in-place", str(log), str(packed))[0] == 0
    assert log.read_text(encoding="utf-8") == CLEAN
    assert gzip.decompress(packed.read_bytes()).decode() == CLEAN
    assert log.stat().st_mode & 0o777 == 0o640
    assert run("--check", str(log), str(packed))[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.log", "app.log.1.gz"]


def test_chinese_encodings_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "old.log"
    log.write_bytes(LOG.encode("gb18030"))
    assert run("--in-place", str(log))[0] == 0
    assert log.read_bytes().decode("gb18030") == CLEAN


def test_a_stream_lets_each_line_out_when_it_has_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kuimen.entrypoints.cli", "redact", "--overlay", "fictitious", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"手机{PERSON.mobile}\n半".encode())
        process.stdin.flush()
        assert process.stdout.readline().decode() == "手机<mobile>\n"
        process.stdin.close()
        assert process.stdout.read().decode() == "半"
    assert process.returncode == 0


def test_what_cannot_be_redacted_is_refused_and_left(tmp_path: Path) -> None:
    image, log = tmp_path / "a.png", tmp_path / "a.log"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    log.write_text(LOG, encoding="utf-8")
    (tmp_path / "link.log").symlink_to(log)
    for path in (image, tmp_path / "link.log"):
        with pytest.raises(UnredactableFileError):
            rewrite_redacted(path, lambda encoding, heard: StreamRedactor(encoding=encoding, on_finding=heard))

    def growing(encoding: str, heard: object) -> StreamRedactor:
        with log.open("a", encoding="utf-8") as late:
            late.write("late\n")
        return StreamRedactor(encoding=encoding, tables=FICTITIOUS)

    with pytest.raises(FileChangedError):
        rewrite_redacted(log, growing)
    assert log.read_text(encoding="utf-8") == LOG + "late\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.png", "link.log"]
