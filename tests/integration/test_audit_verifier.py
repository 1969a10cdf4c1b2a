"""Whatever the owner of the database does to the log by SQL, the offline verifier names it."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.db import transaction
from psycopg import sql

from fixtures.audited import CLERK, TestSigner, write_log
from fixtures.installed import System
from kuimen.gate.audit import services as audit
from kuimen.gate.audit import verifier
from kuimen.kernels.merkle import Frontier, leaf_hash

TABLES = ("audit_entry", "audit_sequenced", "audit_node", "audit_checkpoint", "audit_signing_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Forty entries under four checkpoints, and an owner without scruples."""

    system: System
    owner: psycopg.Connection
    signer: TestSigner
    folder: Path

    def verify(self) -> dict[str, object]:
        target = self.folder / "export"
        shutil.rmtree(target, ignore_errors=True)
        audit.export(target)
        return verifier.verify(target, sink=self.system.home.checkpoints)

    def finding(self) -> str:
        with pytest.raises(verifier.Finding) as found:
            self.verify()
        assert found.value.code == 6
        return str(found.value)


@pytest.fixture
def log(bare_system: System, tmp_path: Path) -> Iterator[Log]:
    signer = TestSigner()
    write_log(signer, [10, 10, 10, 10])
    with bare_system.connect("kuimen_owner") as owner:
        for table in TABLES:
            owner.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        yield Log(system=bare_system, owner=owner, signer=signer, folder=tmp_path)


def rewrite_tree(log: Log) -> None:
    """Recompute every leaf and every checkpoint's root, as an owner without the signing key can."""
    rows = log.owner.execute(
        "SELECT s.seq, e.body FROM audit_sequenced s JOIN audit_entry e ON e.id = s.entry_id ORDER BY s.seq"
    ).fetchall()
    for seq, body in rows:
        log.owner.execute("UPDATE audit_sequenced SET leaf = %s WHERE seq = %s", (leaf_hash(bytes(body)), seq))


def resign(log: Log) -> None:
    """Sign the present state anew under every checkpoint, as an owner with the signing key could."""
    leaves = [bytes(leaf) for (leaf,) in log.owner.execute("SELECT leaf FROM audit_sequenced ORDER BY seq")]
    rows = log.owner.execute("SELECT size, note FROM audit_checkpoint ORDER BY size").fetchall()
    for size, note in rows:
        tree = Frontier()
        tree.append_many(leaves[:size])
        lines = bytes(note).split(b"\n")
        lines[3] = tree.root().hex().encode()
        forged = b"\n".join(lines)
        log.owner.execute(
            "UPDATE audit_checkpoint SET root = %s, note = %s, signature = %s, frontier = %s WHERE size = %s",
            (tree.root(), forged, log.signer.sign(forged), tree.to_bytes(), size),
        )


def forge_body(log: Log, seq: int) -> None:
    log.owner.execute(
        "UPDATE audit_entry SET body = replace(convert_from(body, 'UTF8'), 'done', 'none')::text::bytea"
        " WHERE id = (SELECT entry_id FROM audit_sequenced WHERE seq = %s)",
        (seq,),
    )


def test_an_untouched_log_verifies_and_says_what_it_was_compared_with(log: Log) -> None:
    result = log.verify()
    assert (result["entries"], result["covered"], result["checkpoints"]) == (40, 40, 4)
    assert result["independent_checkpoints"] == 4
    assert result["compared_with_independent_copy"] is True


@pytest.mark.parametrize("seq", [0, 9, 10, 39])
def test_an_altered_entry_is_named(log: Log, seq: int) -> None:
    forge_body(log, seq)
    assert log.finding() == f"entry {seq} was altered"


@pytest.mark.parametrize("seq", [0, 17, 38])
def test_a_removed_entry_is_named(log: Log, seq: int) -> None:
    log.owner.execute("WITH gone AS (DELETE FROM audit_sequenced WHERE seq = %s RETURNING entry_id) SELECT 1", (seq,))
    assert log.finding() == f"entry {seq} is missing or out of its place"


def test_an_entry_removed_under_its_number_is_named(log: Log) -> None:
    for (name,) in log.owner.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'audit_sequenced'::regclass AND contype = 'f'"
    ).fetchall():
        log.owner.execute(sql.SQL("ALTER TABLE audit_sequenced DROP CONSTRAINT {}").format(sql.Identifier(name)))
    log.owner.execute("DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_sequenced WHERE seq = 21)")
    assert log.finding() == "entry 21 was altered"


def test_two_entries_that_changed_places_are_named_by_the_first(log: Log) -> None:
    log.owner.execute(
        "UPDATE audit_sequenced SET leaf = CASE seq WHEN 12 THEN (SELECT leaf FROM audit_sequenced WHERE seq = 13)"
        " ELSE (SELECT leaf FROM audit_sequenced WHERE seq = 12) END WHERE seq IN (12, 13)"
    )
    assert log.finding() == "entry 12 was altered"


def test_reordered_entries_with_their_leaves_are_named_by_the_interval(log: Log) -> None:
    log.owner.execute("UPDATE audit_sequenced SET seq = 1000 WHERE seq = 12")
    log.owner.execute("UPDATE audit_sequenced SET seq = 12 WHERE seq = 13")
    log.owner.execute("UPDATE audit_sequenced SET seq = 13 WHERE seq = 1000")
    assert log.finding() == "entries 10 to 19 are not those that were signed: the tree was rewritten"


def test_an_altered_entry_with_a_rewritten_tree_is_named_by_the_interval(log: Log) -> None:
    forge_body(log, 25)
    rewrite_tree(log)
    assert log.finding() == "entries 20 to 29 are not those that were signed: the tree was rewritten"


def test_a_log_signed_anew_with_the_stolen_key_is_a_fork_of_the_independent_copy(log: Log) -> None:
    forge_body(log, 25)
    rewrite_tree(log)
    resign(log)
    assert log.finding() == "forked: size 30 was signed with two different roots"


def test_a_cut_tail_is_named_though_its_checkpoint_was_cut_too(log: Log) -> None:
    log.owner.execute("DELETE FROM audit_checkpoint WHERE size = 40")
    log.owner.execute("DELETE FROM audit_sequenced WHERE seq >= 30")
    assert log.finding() == "entries 30 to 39 are missing: a checkpoint of size 40 was signed"


def test_a_removed_checkpoint_is_named_though_no_entry_is_touched(log: Log) -> None:
    log.owner.execute("DELETE FROM audit_checkpoint WHERE size = 20")
    assert log.finding() == "the checkpoint of size 20 was removed from the log"


def test_a_checkpoint_signed_by_another_key_is_named(log: Log) -> None:
    stranger = TestSigner()
    (note,) = log.owner.execute("SELECT note FROM audit_checkpoint WHERE size = 40").fetchone() or (b"",)
    log.owner.execute("UPDATE audit_checkpoint SET signature = %s WHERE size = 40", (stranger.sign(bytes(note)),))
    assert log.finding() == "the exported checkpoint of size 40 is not signed by a key that is trusted"


def test_a_swapped_public_key_does_not_make_a_forged_log_trusted(log: Log) -> None:
    forge_body(log, 25)
    rewrite_tree(log)
    thief = Log(system=log.system, owner=log.owner, signer=TestSigner(), folder=log.folder)
    resign(thief)
    log.owner.execute("UPDATE audit_signing_key SET public_key = %s", (thief.signer.public_bytes(),))
    assert "not signed by a key that is trusted" in log.finding()


def test_entries_that_wait_for_their_checkpoint_are_counted_apart(log: Log) -> None:
    target = log.folder / "export"
    with log.owner.transaction():
        log.owner.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")

    with transaction.atomic():
        audit.record("test.late", actor=CLERK)
    assert audit.export(target).unsequenced == 1


def test_the_independent_copy_alone_is_no_excuse_for_a_damaged_line(log: Log) -> None:
    (path,) = log.system.home.checkpoints.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-30])
    assert "ends with a line that is cut" in log.finding()


def test_without_the_independent_copy_the_result_says_so(log: Log) -> None:
    target = log.folder / "export"
    audit.export(target)
    assert verifier.verify(target)["compared_with_independent_copy"] is False


def test_the_exported_verifier_runs_alone(log: Log) -> None:
    target = log.folder / "export"
    audit.export(target)

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(target / "verifier.py"), str(target), "--json", *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    sink = ("--sink", str(log.system.home.checkpoints))
    good = run(*sink)
    assert (good.returncode, json.loads(good.stdout)["verified"]) == (0, True)
    assert run(*sink, "--key", log.signer.public_bytes().hex()).returncode == 0
    assert run(*sink, "--key", TestSigner().public_bytes().hex()).returncode == 6
    entries = target / "entries.jsonl"
    lines = entries.read_bytes().splitlines(keepends=True)
    entries.write_bytes(b"".join(lines[:5] + lines[6:]))
    bad = run(*sink)
    assert bad.returncode == 6
    assert json.loads(bad.stdout)["finding"] == "entry 5 is missing or out of its place"
    entries.write_bytes(lines[0] + b"[]\n")
    assert run(*sink).returncode == 6
    entries.write_bytes(b'{"seq":0,"leaf":"no base64!"}\n')
    assert run(*sink).returncode == 2
    entries.unlink()
    assert run(*sink).returncode == 2


def test_the_verifier_is_short_and_stands_on_the_standard_library_alone() -> None:
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert "dumps" not in source.replace("json.dumps(outcome)", "")


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_the_slow_sm3_agrees_with_the_interpreters(length: int) -> None:
    data = bytes(range(256)) * 4
    assert verifier.slow_sm3(data[:length]) == verifier.sm3(data[:length])


def test_sm3_of_the_standard() -> None:
    """GB/T 32905-2016, appendix A, example 1."""
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert verifier.slow_sm3(b"abc").hex() == verifier.sm3(b"abc").hex() == expected


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1],
        lambda s: s + b"\x00",
        lambda s: b"\x31" + s[1:],
        lambda s: s[:4] + bytes([s[4] ^ 1]) + s[5:],
        lambda _: b"",
        lambda _: b"\x30",
        lambda _: b"\x30\x01\x02",
        lambda _: b"\x30\x02\x02\x7f",
        lambda s: s + s,
        lambda _: b"\x30\x06\x02\x01\x00\x02\x01\x00",
        lambda _: b"\x30\x06\x02\x01\x01\x03\x01\x01",
    ],
)
def test_a_spoilt_signature_verifies_under_no_reading(spoil: Callable[[bytes], bytes]) -> None:
    signer = TestSigner()
    key = verifier.PublicKey(signer.public_bytes())
    signature = signer.sign(b"a note")
    assert key.verify(b"a note", signature)
    assert not key.verify(b"another", signature)
    assert not key.verify(b"a note", spoil(signature))
