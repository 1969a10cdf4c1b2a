"""Writing the audit log: entries alone in their transactions, a hundred in one, and their numbering and signing."""

from functools import partial

from django.db import connection, transaction

from benchmarks import bare
from benchmarks.installed import Installed
from benchmarks.measurement import Measurement, wall_rate_of
from benchmarks.run import Run
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import services as keys

CLERK = audit.Actor(kind="staff", ref="C0001", label="员工C0001")
TOGETHER = 100


def measure(run: Run) -> list[Measurement]:
    signer = keys.keyring().signer()
    audit.sequence_pending(signer)
    alone, together = run.sized(2_000, 200), run.sized(20_000, 1_000)
    single = wall_rate_of(partial(append, alone, 1), items=alone)
    body = bytes(Entry.objects.values_list("body", flat=True).latest("id"))
    batched = wall_rate_of(partial(append, together, TOGETHER), items=together)
    sequenced = wall_rate_of(partial(audit.sequence_pending, signer), items=alone + together)
    named = f"bare INSERTs of the same {len(body)} bytes"
    return [
        Measurement(
            what="append entries, each in a transaction of its own",
            value=single,
            limit=f"{named}, each committed",
            limit_value=wall_rate_of(partial(insert, run.installed, body, alone, 1), items=alone),
        ),
        Measurement(
            what=f"append entries, {TOGETHER} in a transaction",
            value=batched,
            limit=f"{named}, {TOGETHER} in a transaction",
            limit_value=wall_rate_of(partial(insert, run.installed, body, together, TOGETHER), items=together),
        ),
        Measurement(
            what="number entries, grow the tree, sign",
            value=sequenced,
            limit="COPY of number, reference and 32 bytes",
            limit_value=wall_rate_of(partial(copy, run.installed, alone + together), items=alone + together),
        ),
    ]


def append(count: int, together: int) -> None:
    for first in range(0, count, together):
        with transaction.atomic():
            for number in range(first, first + together):
                audit.record(
                    "benchmark.deed",
                    actor=CLERK,
                    object_type="case",
                    object_ref=f"T{number}",
                    purpose="collection",
                    facts={"kind": "page", "elements": ["mobile", "person_name"], "rows": 1, "number": number},
                )
    connection.close()


def insert(installed: Installed, body: bytes, count: int, together: int) -> None:
    with installed.plain() as plain:
        plain.execute(bare.TABLE)
        for _ in range(0, count, together):
            with plain.transaction():
                for _ in range(together):
                    plain.execute(bare.INSERT, [body])


def copy(installed: Installed, count: int) -> None:
    with installed.plain() as plain:
        plain.execute(
            "CREATE TABLE bench_place (seq bigint PRIMARY KEY, entry_id bigint NOT NULL, leaf bytea NOT NULL)"
        )
        leaf = bytes(32)
        with plain.cursor().copy("COPY bench_place (seq, entry_id, leaf) FROM STDIN") as lines:
            for number in range(count):
                lines.write_row((number, number, leaf))
