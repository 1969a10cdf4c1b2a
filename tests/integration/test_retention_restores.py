"""Old backups after an erasure: whichever database is put back, nothing of the erased opens.

The backups are copies of whole databases, files and all. "Without replay" is what somebody does who holds both old
backups and the root, and leaves our service and its ledger aside.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from fixtures.erasing import CONSENT, IDENTITY, Borrower, Office, erase, open_office
from fixtures.installed import CUSTODIANS, System
from kuimen.entrypoints.installation import grants
from kuimen.entrypoints.installation.servers import ADMIN
from kuimen.foundation.errors import KuimenError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys import shredding
from kuimen.gate.keys.domain_keys import destroy_domain_version
from kuimen.gate.keys.halves import FILE_NAME
from kuimen.gate.keys.models import DomainKey, PersonKey
from kuimen.gate.keys.rewrap import run_rewrap
from kuimen.gate.keys.rules import KeyState, RetentionClass
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.rules import ErasureState
from kuimen.gate.vault import erasing
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.models import Index, Record
from kuimen.gate.vault.opening import open_records
from kuimen.kernels.elements.model import Element


@contextmanager
def backed_up(system: System) -> Iterator[Callable[..., None]]:
    """Copy both databases now; the callable puts back those that it is told to."""
    kept = {name: f"{name}_kept" for name in (system.main, system.keys)}

    def copy(source: str, target: str) -> None:
        connections.close_all()
        with psycopg.connect(system.postgres.dsn(ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target)))
            grants.create_database(admin, target, template=source)

    for source, target in kept.items():
        copy(source, target)

    def put_back(*names: str) -> None:
        keys.lock()
        for name in names:
            copy(kept[name], name)

    try:
        yield put_back
    finally:
        with psycopg.connect(system.postgres.dsn(ADMIN, "postgres"), autocommit=True) as admin:
            for target in kept.values():
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target)))


def unlock(system: System) -> None:
    keys.lock()
    keys.unlock(system.home.root_key, CUSTODIANS)


def opening(borrower: Borrower) -> int:
    """Try every record by itself and return how many opened."""
    opened = 0
    for record in borrower.records:
        try:
            opened += len(open_records([record], purpose="test"))
        except KuimenError:
            continue
    return opened


def hits(borrower: Borrower) -> int:
    return len(vault.find_records(Element.MOBILE, Sensitive(borrower.identity.mobile, element="mobile")))


def erase_all(office: Office) -> None:
    for kind in (IDENTITY, CONSENT):
        erase(office, office.due.ref, kind)


@pytest.mark.clause("JRT0171-6.1.5-a")
def test_both_old_backups_without_replay_open_nothing_once_the_old_domain_keys_are_destroyed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office()
    with backed_up(system) as put_back:
        erase_all(office)
        for kind in (IDENTITY, CONSENT):
            keys.rotate_domain(kind, actor=SYSTEM)
            assert run_rewrap(keys.keyring(), kind, actor=SYSTEM).finished
            destroy_domain_version(kind, 1, actor=SYSTEM)
        unlock(system)
        assert [opening(survivor) for survivor in office.survivors] == [5, 5]
        audit_outside = {path: path.read_bytes() for path in system.home.checkpoints.iterdir()}

        put_back(system.main, system.keys)
        monkeypatch.setattr(keys, "_guards", [])
        for path in [*system.home.shreds.iterdir(), *audit_outside]:
            path.unlink()
        unlock(system)

        restored = Record.objects.filter(person_ref=office.due.ref)
        assert {row.state for row in restored} == {"bound"}
        assert set(PersonKey.objects.filter(person_ref=office.due.ref).values_list("state", flat=True)) == {"active"}
        assert set(DomainKey.objects.values_list("version", "state")) == {(1, KeyState.ACTIVE.value)}
        assert opening(office.due) == 0


def test_before_the_old_domain_keys_are_destroyed_such_a_restore_does_open_it_and_nobody_says_otherwise(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(survivors=0)
    with backed_up(system) as put_back:
        erase_all(office)
        put_back(system.main, system.keys)
        monkeypatch.setattr(keys, "_guards", [])
        unlock(system)
        assert opening(office.due) == 5


@pytest.mark.clause("JRT0171-6.1.5-a")
@pytest.mark.parametrize("which", ["keys", "main", "both"])
def test_whatever_is_put_back_the_next_unlock_closes_it_again_before_anything_opens(system: System, which: str) -> None:
    office = open_office()
    with backed_up(system) as put_back:
        erase_all(office)
        put_back(*{"keys": [system.keys], "main": [system.main], "both": [system.main, system.keys]}[which])
        if which != "keys":
            for path in system.home.checkpoints.iterdir():  # the log was put back as well, on purpose of this test
                path.unlink()
        unlock(system)

        assert opening(office.due) == 0
        assert hits(office.due) == 0
        assert [opening(survivor) for survivor in office.survivors] == [5, 5]
        assert shredding.alive_in_spite() == 0
        assert len(shredding.lines_after(0)) == 2
        for kind in (IDENTITY, CONSENT):
            held = erasing.held_of(office.due.ref, kind)
            assert (held.standing, held.tags, held.tombstones_with_content) == (0, 0, 0)
        destroyed = retention.due_list(state=ErasureState.DESTROYED)
        assert {one.retention_class for one in destroyed} == {IDENTITY, CONSENT}
        (entry,) = Entry.objects.filter(action="retention.replay")
        lacked = b'"main_database_lacked":2' if which != "keys" else b'"main_database_lacked":0'
        assert lacked in bytes(entry.body)
        assert retention.catch_up(keys.keyring()).did_nothing


def test_the_half_of_a_destroyed_version_is_in_no_file_any_more(system: System) -> None:
    keys.keyring().person_keys([], IDENTITY)
    office = open_office(survivors=0)
    file = system.home.root_key.with_name(FILE_NAME)
    before = file.read_bytes()
    erase(office, office.due.ref)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    run_rewrap(keys.keyring(), IDENTITY, actor=SYSTEM)
    destroy_domain_version(IDENTITY, 1, actor=SYSTEM)

    name = f'"{RetentionClass.IDENTITY_TRANSACTION.value}/1": "'
    half = before.decode().partition(name)[2].partition('"')[0].encode()
    assert len(half) == 44
    for path in _files_below(system.home.keys):
        assert half not in path.read_bytes(), path.name
    assert file.stat().st_mode & 0o777 == 0o600


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_index_rows_of_the_erased_are_gone_at_once(system: System) -> None:
    office = open_office(survivors=1)
    assert Index.objects.filter(record__person_ref=office.due.ref).count() == 4
    erase_all(office)
    assert not Index.objects.filter(record__person_ref=office.due.ref).exists()
    assert hits(office.survivors[0]) == 1
