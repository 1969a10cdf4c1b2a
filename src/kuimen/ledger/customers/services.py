"""Use cases of the customers room."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from kuimen.foundation import clock
from kuimen.ledger.customers.models import Customer


def register_many(customer_refs: Collection[UUID]) -> int:
    """Make the references known to the ledger and return how many were new; one statement.

    Runs inside the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (customer_ref, first_seen_at)"
            " SELECT DISTINCT ref, %s::timestamptz FROM unnest(%s::uuid[]) AS ref ON CONFLICT DO NOTHING",
            [clock.now(), list(customer_refs)],
        )
        return int(cursor.rowcount)


def known(customer_ref: UUID) -> bool:
    """Tell whether the ledger knows this customer."""
    return Customer.objects.filter(customer_ref=customer_ref).exists()


def count() -> int:
    """Return how many customers the ledger knows."""
    return Customer.objects.count()
