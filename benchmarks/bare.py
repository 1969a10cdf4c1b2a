"""The bare work under the measured deeds: what PostgreSQL and the ciphers take when no right is asked and none told."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from typing import Any
from uuid import UUID

from django.db import connection

from benchmarks.installed import Installed
from benchmarks.measurement import times_of
from kuimen.gate.access import scope
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.material import DataKey
from kuimen.gate.vault.sealing import CONTEXT_OF_ALL
from kuimen.kernels.ciphers import build_aad, open_sealed

ROW_BYTES = 600  # about what the audit entry of one view holds
TABLE = "CREATE TABLE IF NOT EXISTS bench_row (id bigserial PRIMARY KEY, body bytea NOT NULL)"
INSERT = "INSERT INTO bench_row (body) VALUES (%s)"
# Fifty cases with the facts of their loans and their hundred sealed values.
PAGE = """
    SELECT c.case_ref, c.bucket, c.state, c.assignee, l.principal, l.balance, l.instalment,
        r.record_id, r.element, r.person_ref, r.retention_class, r.key_generation, r.sealed
    FROM (SELECT * FROM collections_case ORDER BY opened_at, case_ref LIMIT 50 OFFSET %s) AS c
    JOIN loans_loan AS l ON l.loan_ref = c.loan_id
    JOIN vault_record AS r ON r.person_ref = c.customer_ref AND r.element IN ('person_name', 'mobile')
"""
Held = Mapping[tuple[UUID, str], DataKey]


def page_times(count: int) -> list[float]:
    """Milliseconds of reading and opening a page of 50 cases with the keys at hand."""
    institution = keys.keyring().institution_id.bytes
    with scope.institution_wide(), connection.cursor() as cursor:
        rows: list[Sequence[Any]] = []
        for offset in (0, 50):
            cursor.execute(PAGE, [offset])
            rows += cursor.fetchall()
        held = _keys_of(rows)

        def look(offset: int) -> None:
            cursor.execute(PAGE, [offset])
            assert len(_opened(cursor.fetchall(), institution, held)) == 100

        return times_of([partial(look, offset) for offset in islice(cycle((0, 50)), count)])


def _keys_of(rows: Sequence[Sequence[Any]]) -> Held:
    people: dict[str, set[UUID]] = {}
    for *_, person, kind, _generation, _sealed in rows:
        people.setdefault(kind, set()).add(person)
    ring = keys.keyring()
    return {(ref, kind): key for kind, refs in people.items() for ref, key in ring.person_keys(refs, kind).items()}


def _opened(rows: Sequence[Sequence[Any]], institution: bytes, held: Held) -> list[bytes]:
    opened = []
    for *_, record, element, person, kind, generation, sealed in rows:
        context = build_aad(
            institution, record=record, element=element, person=person, retention_class=kind, generation=generation
        )
        opened.append(open_sealed(held[person, kind].key, bytes(sealed), aad=CONTEXT_OF_ALL, row_aad=context))
    return opened


def commit_times(installed: Installed, count: int) -> list[float]:
    """Milliseconds of inserting one row in a transaction of its own, down to the disk."""
    body = bytes(ROW_BYTES)
    with installed.plain() as bare:
        bare.execute(TABLE)
        return times_of([lambda: bare.execute(INSERT, [body])] * count)
