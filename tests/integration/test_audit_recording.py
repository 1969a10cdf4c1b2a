"""The audit log takes inserts only, and a refusal outlives the transaction that refused."""

import json

import psycopg
import pytest
from django.db import connection, transaction

from fixtures.installed import System
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.errors import AuditFactError, OutsideTransactionError
from kuimen.gate.audit.models import Entry

CLERK = audit.Actor(kind="staff", ref="S0001", label="测试员")


def test_an_entry_needs_the_transaction_of_its_deed(bare_system: System) -> None:
    with pytest.raises(OutsideTransactionError):
        audit.record("test.deed", actor=CLERK)


def test_an_entry_vanishes_with_the_deed_that_failed(bare_system: System) -> None:
    with transaction.atomic():
        audit.record("test.deed", actor=CLERK)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()


def test_a_refusal_outlives_the_rolled_back_transaction(bare_system: System) -> None:
    with transaction.atomic():
        kept = audit.record_refusal("test.deed", actor=CLERK, facts={"reason": "not_permitted"})
        transaction.set_rollback(True)
    entry = Entry.objects.get()
    assert entry.entry_id == kept
    assert entry.outcome == "refused"
    assert json.loads(bytes(entry.body))["facts"] == {"reason": "not_permitted"}


def test_django_works_as_the_application_role(bare_system: System) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        assert cursor.fetchone() == ("kuimen_app", bare_system.main)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry CASCADE"]
)
@pytest.mark.parametrize("role", ["kuimen_app", "kuimen_owner"])
def test_neither_application_nor_owner_changes_an_entry_by_plain_sql(
    bare_system: System, role: str, statement: str
) -> None:
    with transaction.atomic():
        audit.record("test.deed", actor=CLERK)
    with bare_system.connect(role) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(statement)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("value", ["13800138000", "手机 19990001234。", "11010519491231002X", 1.5, {"a": 1}])
def test_an_entry_refuses_what_looks_like_a_value(bare_system: System, value: object) -> None:
    with pytest.raises(AuditFactError) as refused, transaction.atomic():
        audit.record("test.deed", actor=CLERK, facts={"note": value})  # type: ignore[dict-item]
    assert str(value) not in str(refused.value)


def test_digests_and_references_pass_though_they_hold_long_numbers(bare_system: System) -> None:
    with transaction.atomic():
        audit.record("test.deed", actor=CLERK, object_ref="13800138000abcdef", facts={"digest": "a13800138000"})
