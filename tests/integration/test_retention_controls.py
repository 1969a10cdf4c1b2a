"""The controls of the retention room hold on a healthy installation and fail on every planted defect."""

from datetime import timedelta

import pytest

from fixtures.erasing import CONSENT, IDENTITY, Office, erase, open_office, seal_borrower
from fixtures.installed import System
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.retention import controls
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.rules import EventKind
from kuimen.standard import Outcome, ProbeContext


@pytest.fixture
def office(system: System) -> Office:
    """One person erased, two survivors."""
    made = open_office()
    erase(made, made.due.ref)
    erase(made, made.due.ref, CONSENT)
    assert [look(system, name) for name in ("early", "gone", "record")] == [Outcome.HOLDS] * 3
    return made


PROBES = {
    "early": controls.nothing_goes_too_early,
    "adverse": controls.adverse_items_do_not_stay_too_long,
    "collection": controls.collection_records_do_not_stay_too_long,
    "gone": controls.what_went_is_gone,
    "record": controls.every_destruction_has_its_record,
}


def look(system: System, name: str) -> Outcome:
    return PROBES[name](ProbeContext(at=system.clock.now())).outcome


def plant(system: System, statement: str, *parameters: object, in_keys: bool = False) -> None:
    with system.connect("kuimen_admin", keys=in_keys) as session:
        session.execute(statement.encode(), parameters)


def test_an_empty_installation_proves_nothing(system: System) -> None:
    assert {name: look(system, name) for name in PROBES} == dict.fromkeys(PROBES, Outcome.INSUFFICIENT)


@pytest.mark.planted_defect("CQJR-6.5-c")
def test_a_destruction_before_its_day_is_found(system: System, office: Office) -> None:
    plant(system, "UPDATE retention_erasure SET due_on = '2031-01-01' WHERE retention_class = %s", IDENTITY.value)
    assert look(system, "early") is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.5-c")
def test_a_destruction_under_a_hold_is_found(system: System, office: Office) -> None:
    plant(
        system,
        "INSERT INTO retention_hold (hold_id, person_ref, kind, evidence, placed_by, placed_at, lifted_by)"
        " VALUES (gen_random_uuid(), %s, 'aml', 'AML-1', 'S0001', '2026-01-01', '')",
        office.due.ref,
    )
    assert look(system, "early") is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.5-c")
def test_a_key_that_somebody_destroyed_by_sql_is_found(system: System, office: Office) -> None:
    plant(
        system,
        "UPDATE keys_personkey SET state = 'destroyed', wrapped = NULL WHERE person_ref = %s",
        office.survivors[0].ref,
        in_keys=True,
    )
    assert look(system, "early") is Outcome.REFUTED


def _adverse(office: Office, kind: RetentionClass, event: EventKind, days_ago: int, system: System) -> None:
    person = office.survivors[0].ref
    keys.keyring().person_keys([person], kind)
    ended = system.clock.now().date() - timedelta(days=days_ago)
    retention.record_event(person, kind=event, ended_on=ended, evidence="case 9", officer=office.people.maker)
    retention.check_due()


@pytest.mark.planted_defect("CQJR-5.2-e")
def test_an_adverse_item_older_than_its_term_is_found(system: System, office: Office) -> None:
    _adverse(office, RetentionClass.ADVERSE_ITEM, EventKind.ADVERSE, 5 * 365, system)
    assert look(system, "adverse") is Outcome.HOLDS
    system.clock.advance(timedelta(days=3))
    retention.check_due()
    system.clock.advance(timedelta(days=32))
    assert look(system, "adverse") is Outcome.REFUTED
    erase(office, office.survivors[0].ref, RetentionClass.ADVERSE_ITEM)
    assert look(system, "adverse") is Outcome.INSUFFICIENT


@pytest.mark.planted_defect("CQJR-5.2-e")
def test_a_check_that_no_longer_runs_is_found(system: System, office: Office) -> None:
    _adverse(office, RetentionClass.ADVERSE_ITEM, EventKind.ADVERSE, 5 * 365, system)
    assert look(system, "adverse") is Outcome.HOLDS
    system.clock.advance(timedelta(days=3))  # due since yesterday, and nobody lists it
    assert look(system, "adverse") is Outcome.REFUTED
    retention.check_due()
    assert look(system, "adverse") is Outcome.HOLDS


@pytest.mark.planted_defect("CQJR-5.4-g")
def test_a_collection_record_older_than_its_term_is_found(system: System, office: Office) -> None:
    _adverse(office, RetentionClass.COLLECTION_RECORD, EventKind.COLLECTION, 6 * 365, system)
    assert look(system, "collection") is Outcome.HOLDS
    system.clock.advance(timedelta(days=32))
    assert look(system, "collection") is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.1.5-a")
def test_remains_of_the_erased_are_found_one_by_one(system: System, office: Office) -> None:
    person, survivor = office.due.ref, office.survivors[0].ref
    plant(
        system,
        "UPDATE keys_personkey AS gone SET state = 'active', wrapped = held.wrapped FROM keys_personkey AS held"
        " WHERE gone.person_ref = %s AND held.person_ref = %s AND gone.retention_class = held.retention_class",
        person, survivor, in_keys=True,
    )  # fmt: skip
    assert remains(system) == {"keys_alive_in_spite": 2}
    plant(
        system,
        "INSERT INTO vault_index (record_id, element, generation, tag)"
        " SELECT record_id, element, 9, decode('0011223344556677', 'hex') FROM vault_record WHERE person_ref = %s",
        person,
    )
    assert remains(system) == {"keys_alive_in_spite": 2, "tags_of_tombstones": 5}
    plant(
        system,
        "UPDATE vault_record SET sealed = substring(sealed FOR 6) || decode(repeat('11', 40), 'hex')"
        " WHERE person_ref = %s",
        person,
    )
    assert remains(system)["tombstones_with_content"] == 5
    plant(system, "UPDATE vault_record SET state = 'bound' WHERE person_ref = %s", person)
    assert remains(system) == {"keys_alive_in_spite": 2, "records_standing_in_spite": 5}


@pytest.mark.planted_defect("JRT0171-6.1.5-a")
def test_a_ledger_outside_that_was_emptied_is_found(system: System, office: Office) -> None:
    for path in system.home.shreds.iterdir():
        path.write_bytes(b"")
    assert look(system, "gone") is Outcome.REFUTED


REMAINS = (
    "keys_alive_in_spite", "records_standing_in_spite", "tombstones_with_content", "tags_of_tombstones",
    "sample_opened",
)  # fmt: skip


def remains(system: System) -> dict[str, object]:
    """Return what is left of the erased; the probe says that it refutes."""
    result = PROBES["gone"](ProbeContext(at=system.clock.now()))
    assert result.outcome is Outcome.REFUTED
    facts = result.observations[0].facts
    return {name: facts[name] for name in REMAINS if facts[name]}


@pytest.mark.planted_defect("JRT0171-6.1.6-c")
def test_a_destruction_without_its_record_is_found(system: System, office: Office) -> None:
    def missing() -> set[str]:
        result = PROBES["record"](ProbeContext(at=system.clock.now()))
        assert result.outcome is Outcome.REFUTED
        return {name for name, count in result.observations[0].facts.items() if count} - {"erasures_destroyed"}

    plant(system, "ALTER TABLE retention_erasure DROP CONSTRAINT retention_erasure_destroyed_by_two")
    plant(system, "UPDATE retention_erasure SET checked_by = destroyed_by WHERE ledger_seq = 1")
    assert "destructions_by_one_person" in missing()
    plant(system, "DELETE FROM keys_shred WHERE seq = 2", in_keys=True)
    assert "destructions_without_ledger_line" in missing()
    plant(system, "UPDATE retention_erasure SET entry_id = gen_random_uuid()")
    assert "destructions_without_entry" in missing()


def test_a_person_without_any_known_event_is_no_proof(system: System) -> None:
    seal_borrower(7)
    keys.keyring().person_keys([seal_borrower(8).ref], RetentionClass.ADVERSE_ITEM)
    retention.check_due()
    assert look(system, "adverse") is Outcome.INSUFFICIENT
