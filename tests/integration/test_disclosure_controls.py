"""Controls of keys, vault and disclosure: they hold on a sound installation and see every planted defect."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from fixtures.disclosing import COLLECTOR, World
from fixtures.installed import System
from kuimen.foundation import clock
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure import controls as door
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.services import Reason, ReasonCode
from kuimen.gate.keys import controls as key_controls
from kuimen.gate.keys import services as keys
from kuimen.gate.vault import controls as vault_controls
from kuimen.kernels.elements import Element
from kuimen.standard import Outcome, Probe, ProbeContext, registered_controls

REASON = Reason(code=ReasonCode.VERIFY_IDENTITY, text="客户来电核实本人身份")
DOOR = (door.views_are_recorded, door.reveals_are_reasoned, door.limits_hold, door.masks_hide)
VAULT = (vault_controls.identity_elements_are_sealed, vault_controls.c3_is_sealed)
ALL = (*DOOR, *VAULT, key_controls.keys_are_wrapped_apart_and_recorded)


@pytest.fixture
def world(system: System) -> World:
    made = World(system)
    one, two = made.customers(2)
    disclosure.masked_page(
        COLLECTOR,
        purpose="collection",
        object_type=made.object_type,
        object_ref="CASE-1",
        rows=[one, two],
        elements=[Element.MOBILE],
    )
    disclosure.reveal(
        COLLECTOR,
        purpose="collection",
        object_type=made.object_type,
        object_ref="CASE-1",
        customer_ref=one,
        element=Element.MOBILE,
        reason=REASON,
        idempotency_key="one-intention",
    )
    made.seal(one, Element.PASSWORD, "a hash of a password")
    return made


def outcome(probe: Probe) -> Outcome:
    return probe(ProbeContext(at=clock.now())).outcome


@pytest.mark.clause(
    "CQJR-5.3-d",
    "CQJR-5.4-g",
    "CQJR-5.5-c",
    "CQJR-5.2-h",
    "CQJR-5.4-d",
    "JRT0171-6.1.3-b",
    "JRT0171-6.1.4.1-b",
    "JRT0171-6.2.4-a",
)
def test_all_controls_hold_on_a_sound_installation(world: World) -> None:
    assert {probe.__name__: outcome(probe) for probe in ALL} == {probe.__name__: Outcome.HOLDS for probe in ALL}


def test_an_installation_where_nothing_happened_proves_nothing(system: System) -> None:
    assert outcome(door.views_are_recorded) is Outcome.INSUFFICIENT
    assert outcome(door.reveals_are_reasoned) is Outcome.INSUFFICIENT
    assert outcome(vault_controls.identity_elements_are_sealed) is Outcome.INSUFFICIENT
    assert outcome(vault_controls.c3_is_sealed) is Outcome.INSUFFICIENT
    assert outcome(key_controls.keys_are_wrapped_apart_and_recorded) is Outcome.INSUFFICIENT


def test_with_locked_keys_nothing_is_confirmed_because_nothing_was_opened(world: World) -> None:
    keys.lock()
    assert outcome(vault_controls.identity_elements_are_sealed) is Outcome.INSUFFICIENT
    assert outcome(key_controls.keys_are_wrapped_apart_and_recorded) is Outcome.INSUFFICIENT


def test_a_probe_raises_no_alarm_and_records_nothing(world: World) -> None:
    with world.owner() as connection:
        connection.execute("UPDATE vault_record SET person_ref = %s WHERE element = 'mobile'", (uuid4(),))
    before = Entry.objects.count()
    assert outcome(vault_controls.identity_elements_are_sealed) is Outcome.REFUTED
    assert Entry.objects.count() == before


def clear_bytes(world: World) -> None:
    with world.owner() as connection:
        connection.execute("ALTER TABLE vault_record DROP CONSTRAINT vault_record_is_sealed")
        connection.execute("UPDATE vault_record SET sealed = '19990001234'::bytea WHERE element = 'mobile'")


def clear_bytes_behind_a_false_header(world: World) -> None:
    with world.owner() as connection:
        connection.execute(
            "UPDATE vault_record SET sealed = '\\xc10100000001'::bytea || repeat('19990001234', 4)::bytea"
            " WHERE element = 'mobile'"
        )


def dropped_constraint(world: World) -> None:
    with world.owner() as connection:
        connection.execute("ALTER TABLE vault_record DROP CONSTRAINT vault_record_is_sealed")


def swapped_records(world: World) -> None:
    with world.owner() as connection:
        connection.execute("UPDATE vault_record SET sealed = (SELECT max(sealed::text)::bytea FROM vault_record)")


@pytest.mark.planted_defect("CQJR-5.3-d", "CQJR-5.4-g", "CQJR-5.5-c")
@pytest.mark.parametrize("plant", [clear_bytes, clear_bytes_behind_a_false_header, dropped_constraint, swapped_records])
def test_a_vault_that_holds_other_than_sealed_values_is_seen(world: World, plant: Callable[[World], None]) -> None:
    plant(world)
    assert outcome(vault_controls.identity_elements_are_sealed) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.1.3-b")
@pytest.mark.parametrize(
    "breakage",
    [
        "UPDATE vault_record SET element = 'cvn2' WHERE element = 'password'",
        (
            "ALTER TABLE vault_record DROP CONSTRAINT vault_record_is_sealed;"
            " UPDATE vault_record SET sealed = 'a clear password'::bytea WHERE element = 'password'"
        ),
    ],
)
def test_c3_that_may_not_be_kept_or_lies_clear_is_seen(world: World, breakage: str) -> None:
    with world.owner() as connection:
        for statement in breakage.split(";"):
            connection.execute(statement.encode())
    assert outcome(vault_controls.c3_is_sealed) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.2.4-a", "JRT0171-6.1.3-b")
@pytest.mark.parametrize(
    "breakage",
    [
        (
            "ALTER TABLE keys_personkey DROP CONSTRAINT keys_person_is_wrapped;"
            " UPDATE keys_personkey SET wrapped = '\\x00112233445566778899aabbccddeeff'"
        ),
        "UPDATE keys_personkey SET wrapped = (SELECT max(wrapped::text)::bytea FROM keys_personkey)",
        (
            "INSERT INTO keys_indexkey (element, generation, wrapped, state, created_at)"
            " SELECT 'smuggled', 1, wrapped, 'active', now() FROM keys_indexkey LIMIT 1"
        ),
    ],
    ids=["clear key", "moved key", "key without record"],
)
def test_a_key_that_is_clear_moved_or_unrecorded_is_seen(world: World, system: System, breakage: str) -> None:
    with system.connect("kuimen_owner", keys=True) as connection:
        for statement in breakage.split(";"):
            connection.execute(statement.encode())
    assert outcome(key_controls.keys_are_wrapped_apart_and_recorded) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.2.4-a")
def test_a_root_file_open_to_others_or_gone_is_seen(world: World, system: System) -> None:
    path = system.home.root_key
    path.chmod(0o644)
    try:
        assert outcome(key_controls.keys_are_wrapped_apart_and_recorded) is Outcome.REFUTED
    finally:
        path.chmod(0o600)
    hidden = path.rename(path.with_suffix(".away"))
    try:
        assert outcome(key_controls.keys_are_wrapped_apart_and_recorded) is Outcome.REFUTED
    finally:
        hidden.rename(path)


@pytest.mark.planted_defect("CQJR-5.4-d", "CQJR-5.2-h", "JRT0171-6.1.4.1-b")
@pytest.mark.parametrize(
    "breakage",
    [
        "UPDATE disclosure_record SET view_id = gen_random_uuid() WHERE kind = 'page'",
        "UPDATE disclosure_record SET staff_no = 'S0002' WHERE kind = 'page'",
        "DELETE FROM disclosure_record WHERE kind = 'page'",
        "ALTER TABLE disclosure_record DROP CONSTRAINT disclosure_reveal_is_reasoned",
    ],
    ids=["other view", "other person", "view removed", "constraint dropped"],
)
def test_a_view_without_its_own_audit_entry_is_seen(world: World, breakage: str) -> None:
    with world.owner() as connection:
        connection.execute(breakage.encode())
    assert outcome(door.views_are_recorded) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-d", "JRT0171-6.1.4.1-b")
def test_a_view_row_written_past_the_door_is_seen(world: World) -> None:
    with world.owner() as connection:
        foreign_keys = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'disclosure_record'::regclass AND contype = 'f'"
        ).fetchall()
        for (name,) in foreign_keys:
            connection.execute(f'ALTER TABLE disclosure_record DROP CONSTRAINT "{name}"'.encode())
        connection.execute(
            "INSERT INTO disclosure_record SELECT gen_random_uuid(), kind, occurred_at, day, staff_no, agency, purpose,"
            " object_type, object_ref, rows, elements, customer_ref, basis_id, reason_code, sealed, expires_at,"
            " gen_random_uuid() FROM disclosure_record WHERE kind = 'page'"
        )
    result = door.views_are_recorded(ProbeContext(at=clock.now()))
    assert result.outcome is Outcome.REFUTED
    assert result.observations[0].facts["views_without_entry"] == 1


@pytest.mark.planted_defect("CQJR-5.4-d", "CQJR-5.2-h", "JRT0171-6.1.4.1-b")
@pytest.mark.parametrize(
    "breakage",
    [
        (
            "ALTER TABLE disclosure_record DROP CONSTRAINT disclosure_reveal_is_reasoned;"
            " UPDATE disclosure_record SET reason_code = '' WHERE kind = 'reveal'"
        ),
        (
            "ALTER TABLE disclosure_record DROP CONSTRAINT disclosure_reveal_is_reasoned;"
            " UPDATE disclosure_record SET basis_id = NULL WHERE kind = 'reveal'"
        ),
        "UPDATE disclosure_record SET elements = '[\"mobile\", \"resident_id\"]' WHERE kind = 'reveal'",
        "UPDATE disclosure_record SET expires_at = occurred_at + interval '1 day' WHERE kind = 'reveal'",
    ],
    ids=["no reason", "no basis", "two fields", "a day long"],
)
def test_a_clear_view_without_reason_basis_or_end_is_seen(world: World, breakage: str) -> None:
    with world.owner() as connection:
        for statement in breakage.split(";"):
            connection.execute(statement.encode())
    assert outcome(door.reveals_are_reasoned) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-d", "CQJR-5.2-h", "JRT0171-6.1.4.1-b")
def test_a_quota_raised_to_no_limit_is_seen(world: World) -> None:
    with world.owner() as connection:
        connection.execute(
            'INSERT INTO disclosure_limit ("limit", value, changed_at, entry_id)'
            " SELECT 'reveals_per_day', 1000000, now(), entry_id FROM audit_entry LIMIT 1"
        )
    result = door.limits_hold(ProbeContext(at=clock.now()))
    assert result.outcome is Outcome.REFUTED
    assert result.observations[0].facts["limits_set_without_record"] == 1


@pytest.mark.planted_defect("JRT0171-6.1.4.1-b", "CQJR-5.2-h")
def test_people_and_pages_beyond_the_caps_are_seen(world: World) -> None:
    with world.owner() as connection:
        connection.execute("UPDATE disclosure_record SET rows = 5000 WHERE kind = 'page'")
    assert outcome(door.limits_hold) is Outcome.REFUTED
    with world.owner() as connection:
        connection.execute("UPDATE disclosure_record SET rows = 1 WHERE kind = 'page'")
        connection.execute(
            "INSERT INTO disclosure_lookup (staff_no, day, customer_ref)"
            " SELECT 'S0001', '2026-11-20', gen_random_uuid() FROM generate_series(1, 100)"
        )
    assert outcome(door.limits_hold) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-d", "JRT0171-6.1.4.1-b")
def test_a_mask_that_shows_everything_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(door.masks_hide) is Outcome.HOLDS
    monkeypatch.setattr(door, "mask_value", lambda _element, text: text)
    assert outcome(door.masks_hide) is Outcome.REFUTED


def test_views_before_the_period_are_not_looked_at(world: World) -> None:
    world.clock.advance(timedelta(days=40))
    assert outcome(door.views_are_recorded) is Outcome.INSUFFICIENT


def test_the_clauses_of_these_rooms_are_registered() -> None:
    registered = registered_controls()
    for clause in ("CQJR-5.3-d", "CQJR-5.4-g", "CQJR-5.5-c", "CQJR-5.2-h", "CQJR-5.4-d", "JRT0171-6.2.4-a"):
        assert clause in registered


def test_a_key_made_inside_a_transaction_that_fails_keeps_its_record(world: World) -> None:
    from django.db import transaction

    class Undone(Exception):  # noqa: N818 - a signal of this test
        """Ends the transaction."""

    def fail_after_making_a_key() -> None:
        with transaction.atomic():
            keys.keyring().table_key("vault/somewhere", "adverse_item")
            raise Undone

    with pytest.raises(Undone):
        fail_after_making_a_key()
    assert outcome(key_controls.keys_are_wrapped_apart_and_recorded) is Outcome.HOLDS
