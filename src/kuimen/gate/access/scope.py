"""The row scope of a transaction: which agency's rows it may see, held by row-level security."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from kuimen.gate.access.rules import EVERYWHERE, Subject
from kuimen.gate.access.table_rules import SCOPE_SETTING, never_deleted, row_scope_policy

__all__ = ["applied", "current", "institution_wide", "never_deleted", "row_scope_policy"]


@contextmanager
def applied(subject: Subject) -> Iterator[None]:
    """Run the block in a transaction that sees the rows of `subject` and no others.

    The setting is local to the transaction (``SET LOCAL``), so a pooled connection carries nothing over. Where a
    transaction is open already, the block becomes a savepoint and the former scope returns after it.
    """
    with _scope(subject.row_scope):
        yield


@contextmanager
def institution_wide() -> Iterator[None]:
    """Run the block over all rows: for jobs of the installation itself (building cases, probes), never for a person."""
    with _scope(EVERYWHERE):
        yield


def current() -> str:
    """Return the scope of this transaction, empty where none is set and no scoped row is visible."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [SCOPE_SETTING])
        row = cursor.fetchone()
    return str(row[0]) if row else ""


@contextmanager
def _scope(value: str) -> Iterator[None]:
    nested = connection.in_atomic_block
    with transaction.atomic():
        former = _exchange(value)
        yield
        # The end of a transaction takes the setting with it, and so does the rollback of a savepoint after an error.
        if nested:
            _exchange(former)


def _exchange(value: str) -> str:
    """Set the scope and return the one before; the subquery is made to be read first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT former, set_config(%s, %s, true)"
            " FROM (SELECT coalesce(current_setting(%s, true), '') AS former OFFSET 0) AS before",
            [SCOPE_SETTING, value, SCOPE_SETTING],
        )
        row = cursor.fetchone()
    return str(row[0])
