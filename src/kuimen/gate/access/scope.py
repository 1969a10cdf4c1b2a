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
    with transaction.atomic():
        former = current()
        _set(value)
        yield
        # After an error the savepoint's rollback restores the former scope by itself.
        _set(former)


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SCOPE_SETTING, value])
