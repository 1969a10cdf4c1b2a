"""Write entries: inside the deed's transaction, or beside one that is about to be rolled back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit.errors import AuditUnavailableError, OutsideTransactionError
from kuimen.gate.audit.rules import Actor, EntryFacts, FactValue, Outcome, canonical_bytes

_INSERT = (
    "INSERT INTO audit_entry (entry_id, occurred_at, actor_kind, actor, action, outcome, purpose, object_type,"
    " object_ref, view_id, body) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_COPY = (
    "COPY audit_entry (entry_id, occurred_at, actor_kind, actor, action, outcome, purpose, object_type,"
    " object_ref, view_id, body) FROM STDIN"
)
_Row = tuple[str | bytes | datetime | UUID | None, ...]


def record(
    action: str,
    *,
    actor: Actor,
    object_type: str = "",
    object_ref: str = "",
    purpose: str = "",
    outcome: Outcome | str = Outcome.DONE,
    view_id: UUID | None = None,
    facts: Mapping[str, FactValue] | None = None,
) -> UUID:
    """Write one entry in the present transaction and return its identifier.

    Cost: one insert.

    Raises:
        OutsideTransactionError: no transaction is open, so the deed and its record could part.
        AuditFactError: the entry would hold something it may not; nothing is written.
        AuditUnavailableError: the database refused; the whole transaction is lost, as it must be.
    """
    entry = _facts(action, actor, object_type, object_ref, purpose, outcome, view_id, facts)
    record_all([entry])
    return entry.entry_id


def record_all(entries: Iterable[EntryFacts]) -> int:
    """Write many entries in the present transaction and return how many; errors as in :func:`record`."""
    if not connection.in_atomic_block:
        raise OutsideTransactionError("open the transaction of the deed before its audit entry is written")
    rows = [_row(entry) for entry in entries]
    try:
        with connection.cursor() as cursor:
            if len(rows) == 1:
                cursor.execute(_INSERT, rows[0])
            elif rows:
                with cursor.copy(_COPY) as copy:
                    for row in rows:
                        copy.write_row(row)
    except DatabaseError:
        raise AuditUnavailableError("the audit log takes no entry; the deed is undone") from None
    return len(rows)


def record_refusal(
    action: str,
    *,
    actor: Actor,
    object_type: str = "",
    object_ref: str = "",
    purpose: str = "",
    outcome: Outcome | str = Outcome.REFUSED,
    view_id: UUID | None = None,
    facts: Mapping[str, FactValue] | None = None,
) -> UUID:
    """Commit one entry at once, whatever becomes of the transaction around it, and return its identifier.

    Inside a transaction the entry goes through a connection of its own: the error that follows will roll the
    transaction back, and the refusal must outlive it. Cost there: one connection.

    Raises:
        AuditFactError, AuditUnavailableError: as in :func:`record`.
    """
    entry = _facts(action, actor, object_type, object_ref, purpose, outcome, view_id, facts)
    if not connection.in_atomic_block:
        with transaction.atomic():
            record_all([entry])
        return entry.entry_id
    row = _row(entry)
    beside = connection.copy()
    try:
        with beside.cursor() as cursor:
            cursor.execute(_INSERT, row)
    except DatabaseError:
        raise AuditUnavailableError("the audit log takes no entry") from None
    finally:
        beside.close()
    return entry.entry_id


def _facts(
    action: str,
    actor: Actor,
    object_type: str,
    object_ref: str,
    purpose: str,
    outcome: Outcome | str,
    view_id: UUID | None,
    facts: Mapping[str, FactValue] | None,
) -> EntryFacts:
    return EntryFacts(
        entry_id=new_ref(),
        occurred_at=clock.now(),
        actor=actor,
        action=action,
        outcome=Outcome(outcome),
        purpose=purpose,
        object_type=object_type,
        object_ref=str(object_ref),
        view_id=view_id,
        facts=facts or {},
    )


def _row(entry: EntryFacts) -> _Row:
    return (
        entry.entry_id,
        entry.occurred_at,
        entry.actor.kind,
        entry.actor.ref,
        entry.action,
        entry.outcome.value,
        entry.purpose,
        entry.object_type,
        entry.object_ref,
        entry.view_id,
        canonical_bytes(entry),
    )
