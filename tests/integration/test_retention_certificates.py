"""Erasure certificates: what they say is so, they verify offline, and nothing in them can be changed."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from fixtures.audited import TestSigner
from fixtures.erasing import CONSENT, IDENTITY, Office, erase, listed, open_office
from fixtures.installed import System
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.domain_keys import destroy_domain_version
from kuimen.gate.keys.rewrap import run_rewrap
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.errors import (
    CertificateBrokenError,
    CertificateUnreadableError,
    ErasureTransitionError,
    RetentionInputError,
)
from kuimen.gate.retention.services import BackupView, CertificateView
from kuimen.gate.retention.typesetting import certificate_pdf
from kuimen.gate.retention.verifier import verify

TODAY = date(2026, 11, 20)
BACKUP = BackupView(
    label="nightly-1119", holds_main=True, holds_keys=True, holds_key_folder=False, taken_on=date(2026, 11, 19),
    expires_on=date(2026, 12, 3),
)  # fmt: skip


def certified(office: Office) -> CertificateView:
    return retention.certify(erase(office, office.due.ref).erasure_id)


@pytest.mark.clause("JRT0171-6.1.6-c")
def test_a_certificate_says_what_ended_who_decided_what_stays_and_which_backups_hold_it(system: System) -> None:
    office = open_office(survivors=0)
    retention.register_backup(BACKUP, actor=SYSTEM)
    retention.register_backup(replace(BACKUP, label="tape of unknown end", expires_on=None), actor=SYSTEM)
    with transaction.atomic():
        retention.register_export(
            office.due.ref, retention_class=IDENTITY, recipient="PARTNER-1", reference="package 7", actor=SYSTEM
        )

    document = certified(office).document

    assert document["erasure"]["reason_zh"].startswith("2014-05-06终止，2024-05-07到期")
    assert {document["erasure"]["maker"], document["erasure"]["checker"]} == {"S0001", "S0002"}
    assert (document["destroyed"]["records"], document["destroyed"]["records_left"]) == (4, 0)
    assert (document["destroyed"]["index_tags"], document["destroyed"]["index_tags_left"]) == (3, 0)
    assert [one["class"] for one in document["stays"]] == [CONSENT.value]
    assert document["exports"][0]["demanded_at"]
    told = {one["label"]: one["standing_zh"] for one in document["backups"]["registered"]}
    assert told == {
        "nightly-1119": "保留至2026-12-03；恢复后须重放销毁台账",
        "tape of unknown end": "保留期限未知；恢复后须重放销毁台账",
    }
    assert document["backups"]["shredded_since"] == ""


def test_it_says_since_when_no_database_backup_opens_it_any_more(system: System) -> None:
    office = open_office(survivors=1)
    retention.register_backup(BACKUP, actor=SYSTEM)
    retention.register_backup(replace(BACKUP, label="whole machine", holds_key_folder=True), actor=SYSTEM)
    erasure = erase(office, office.due.ref)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    run_rewrap(keys.keyring(), IDENTITY, actor=SYSTEM)
    system.clock.advance(timedelta(days=2))
    destroy_domain_version(IDENTITY, 1, actor=SYSTEM)

    backups = retention.certify(erasure.erasure_id).document["backups"]

    assert backups["shredded_since"] == "2026-11-22"
    told = {one["label"]: one["standing_zh"] for one in backups["registered"]}
    assert told["nightly-1119"] == "保留至2026-12-03；所含密文自2026-11-22起不能解开"
    assert "到期前可恢复" in told["whole machine"]


def test_without_any_register_it_assumes_nothing(system: System) -> None:
    assert "不推定没有备份" in certified(open_office(survivors=0)).document["backups"]["register_zh"]


def test_it_verifies_offline_in_another_process_that_has_no_installation(system: System, tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    file.write_bytes(certified(open_office(survivors=0)).content)
    done = subprocess.run(
        [sys.executable, "-m", "kuimen.entrypoints.cli", "retention", "verify", str(file),
         "--checkpoints", str(system.home.checkpoints), "--json"],
        capture_output=True, encoding="utf-8", check=False, env={"PATH": "/usr/bin:/bin", **_python_path()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"verified": True, "anchored": True} == json.loads(done.stdout)


def _python_path() -> dict[str, str]:
    import os

    return {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


def _edit(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change the document and leave the seal, as a forger without the key does."""
    whole = json.loads(content)
    change(whole["document"])
    document = json.dumps(whole["document"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f'{{"document":{document},"seal":{json.dumps(whole["seal"], sort_keys=True)}}}\n'.encode()


def _sealed_anew(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change the document and sign it with a key of one's own, as a better forger does."""
    signer = TestSigner()
    whole = json.loads(_edit(content, change))
    document = json.dumps(whole["document"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    seal = whole["seal"] | {
        "public_key": signer.public_bytes().hex(),
        "signature": signer.sign(document.encode()).hex(),
    }
    return f'{{"document":{document},"seal":{json.dumps(seal)}}}\n'.encode()


def test_no_change_survives_verification(system: System) -> None:
    content = certified(open_office(survivors=0)).content
    place = system.home.checkpoints
    assert verify(content, checkpoints=place).anchored
    assert not verify(content).anchored

    def other_person(document: dict[str, Any]) -> None:
        document["erasure"]["person"] = "99000000-0000-4000-8000-000000000042"

    def other_entry(document: dict[str, Any]) -> None:
        entry = json.loads(base64.b64decode(document["audit"]["entry"]))
        entry["facts"]["records"] = 9
        document["audit"]["entry"] = base64.b64encode(json.dumps(entry).encode()).decode()

    def other_place(document: dict[str, Any]) -> None:
        document["audit"]["seq"] += 1

    def nothing(document: dict[str, Any]) -> None:
        del document

    with pytest.raises(CertificateBrokenError, match="step 1"):
        verify(_edit(content, other_person))
    with pytest.raises(CertificateBrokenError, match="step 2"):
        verify(_sealed_anew(content, other_person))
    with pytest.raises(CertificateBrokenError, match="step 3"):
        verify(_sealed_anew(content, other_entry))
    with pytest.raises(CertificateBrokenError, match="step 3"):
        verify(_sealed_anew(content, other_place))
    with pytest.raises(CertificateBrokenError, match="step 4"):
        verify(_sealed_anew(content, nothing), checkpoints=place)
    with pytest.raises(CertificateBrokenError, match="step 4"):
        verify(content, known_keys=[TestSigner().public_bytes()])
    for path in place.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CertificateBrokenError, match="step 4"):
        verify(content, checkpoints=place)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\xfe", b'{"document":{}', b'{"document":7,"seal":{}}', b"[" * 9999]
)
def test_what_is_no_certificate_is_called_so(content: bytes) -> None:
    with pytest.raises(CertificateUnreadableError):
        verify(content)


def test_a_replayed_erasure_is_certified_by_its_replay(system: System) -> None:
    office = open_office(survivors=0)
    erasure = erase(office, office.due.ref)
    with system.connect("kuimen_admin") as session:  # as a restored main database stands
        session.execute("DELETE FROM retention_applied")
        session.execute("DELETE FROM retention_erasure")
    retention.catch_up(keys.keyring())
    found = verify(retention.certify(erasure.erasure_id).content, checkpoints=system.home.checkpoints)
    assert found.document["erasure"]["person"] == str(office.due.ref)


def test_the_pdf_is_the_same_every_time_and_only_destroyed_things_are_certified(system: System) -> None:
    office = open_office(survivors=0)
    erasure = listed(office.due.ref)
    with pytest.raises(ErasureTransitionError):
        retention.certify(erasure.erasure_id)
    with pytest.raises(RetentionInputError):
        retention.register_backup(replace(BACKUP, holds_main=False, holds_keys=False), actor=SYSTEM)
    made = certified(office)
    pdf = certificate_pdf(made.document, key_id="k")
    assert pdf.startswith(b"%PDF")
    assert pdf == certificate_pdf(made.document, key_id="k")
