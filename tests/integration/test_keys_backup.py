"""A backup of the keys is known to be whole only where somebody held a copy beside it, in this state, not long ago."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from fixtures.installed import System
from fixtures.people import appoint_officers
from kuimen.entrypoints.installation import check
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.backup import BackupState, backup_findings
from kuimen.gate.keys.errors import BackupInputError
from kuimen.gate.keys.halves import beside
from kuimen.gate.keys.rules import BACKUP_PERIOD, NOTICE, RetentionClass
from kuimen.gate.vault.rotation import overseeing

HALVES = "domain-halves.json"


def states(system: System) -> dict[str, BackupState]:
    return {one.name: one.state for one in backup_findings(system.home.root_key)}


def doctor(system: System) -> set[check.Grade]:
    with system.connect() as session:
        return {finding.grade for finding in check.look_at_key_backup(system.home)(session)}


def test_a_backup_is_confirmed_for_one_state_and_for_a_time(system: System, tmp_path: Path) -> None:
    people = appoint_officers()
    outsider = people.hire("C0001", Role.COLLECTOR)
    keys.keyring().person_keys([uuid4()], RetentionClass.IDENTITY_TRANSACTION)
    for version in range(2, 100):  # the folder outlives the databases of earlier tests
        beside(system.home.root_key).destroy(RetentionClass.IDENTITY_TRANSACTION, version)
    assert set(states(system).values()) == {BackupState.NEVER}
    assert doctor(system) == {check.Grade.WARN}

    folder, copy = system.home.keys, tmp_path / "copy"
    copy.mkdir()
    for name in ("root.json", HALVES):
        shutil.copyfile(folder / name, copy / name)
    with pytest.raises(NotPermittedError):
        overseeing.confirm_backup(copy, officer=outsider)
    linked = tmp_path / "linked"
    linked.mkdir()
    for name in ("root.json", HALVES):
        (linked / name).symlink_to(folder / name)
    (tmp_path / "old").mkdir()
    shutil.copyfile(copy / "root.json", tmp_path / "old" / "root.json")
    (tmp_path / "old" / HALVES).write_text("{}", encoding="utf-8")
    for wrong in (folder, linked, tmp_path / "nothing", tmp_path / "old"):
        with pytest.raises(BackupInputError):
            overseeing.confirm_backup(wrong, officer=people.maker)
    assert Entry.objects.filter(action="keys.backup_confirmed", outcome="refused").count() == 4

    overseeing.confirm_backup(copy, officer=people.maker)
    assert set(states(system).values()) == {BackupState.CONFIRMED}
    assert doctor(system) == {check.Grade.OK}
    system.clock.advance(BACKUP_PERIOD - NOTICE)
    assert set(states(system).values()) == {BackupState.AGEING}
    system.clock.advance(NOTICE)
    assert set(states(system).values()) == {BackupState.OVERDUE}
    system.clock.advance(-BACKUP_PERIOD)

    keys.rotate_domain(RetentionClass.IDENTITY_TRANSACTION, actor=keys.audit.SYSTEM)
    assert states(system) == {"root.json": BackupState.CONFIRMED, HALVES: BackupState.CHANGED}
    halves = folder / HALVES
    halves.chmod(0o644)
    assert states(system)[HALVES] is BackupState.EXPOSED
    halves.chmod(0o600)
    away = halves.rename(folder / "away")
    try:
        assert states(system)[HALVES] is BackupState.MISSING
        assert doctor(system) == {check.Grade.OK, check.Grade.WARN}
    finally:
        away.rename(halves)


def test_before_the_first_domain_key_there_is_no_half_to_back_up(bare_system: System, tmp_path: Path) -> None:
    root = tmp_path / "root.json"
    root.write_text("{}", encoding="utf-8")
    root.chmod(0o600)
    assert [one.state for one in backup_findings(root)] == [BackupState.NEVER, BackupState.NOT_YET]
