"""Searching sealed values: an exact look-up and one by the last four, through the vault's own query path.

What is real: every value is sealed and tagged by the functions that sealing uses, under keys of the installation, and
stands in the vault's own tables under all their constraints. What is not: rows come by COPY instead of `seal_many`, so
that there is no audit entry and no row seal for them; the indexes that searches use are made after the rows; no person
is known, so that one table key seals all. The look-ups are those of the product, each from Python to Python.
"""

import random
from collections.abc import Iterator

import psycopg
from django.db import connection, transaction

from benchmarks.measurement import Measurement, percentile, times_of
from benchmarks.run import Run
from kuimen.entrypoints.installation.servers import MAIN_DATABASE, OWNER
from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.keys import services as keys
from kuimen.gate.vault import part_tags
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.models import PartIndex
from kuimen.gate.vault.part_rules import IndexName, Part, PartIndexState
from kuimen.gate.vault.parts.leakage import Measures, tag_bits
from kuimen.gate.vault.parts.services import find_people
from kuimen.gate.vault.sealing import SealItem, seal_batch
from kuimen.kernels.elements.model import Element

SEED = 20261122
BATCH = 20_000
LOOKUPS = 2_000
NAME = IndexName(element=Element.BANK_CARD, part=Part.LAST_FOUR)
TAG_INDEXES = ("vault_index_by_tag", "vault_part_tag_by_tag")
COPY_RECORDS = """
    COPY vault_record (record_id, element, key_scope, retention_class, key_generation, sealed, source_id, source_table,
        source_column, source_key, state, sealed_at) FROM STDIN
"""
COPY_TAGS = "COPY vault_index (record_id, element, generation, tag) FROM STDIN"
COPY_PARTS = "COPY vault_part_tag (record_id, index_id, tag) FROM STDIN"
BARE = "SELECT record_id FROM vault_index WHERE element = %s AND generation = 1 AND tag = %s"


def measure(run: Run) -> list[Measurement]:
    count = run.sized(10_000_000, 5_000)
    run.open_installation()
    dsn = run.installed.postgres.dsn(OWNER, MAIN_DATABASE)
    with psycopg.connect(dsn, autocommit=True) as owner:
        made = [str(owner.execute("SELECT pg_get_indexdef(%s::regclass)", [one]).fetchone()[0]) for one in TAG_INDEXES]
        for one in TAG_INDEXES:
            owner.execute(psycopg.sql.SQL("DROP INDEX {}").format(psycopg.sql.Identifier(one)))
        fill(count)
        for definition in made:
            owner.execute(definition)
        for table in ("vault_record", "vault_index", "vault_part_tag"):
            owner.execute(psycopg.sql.SQL("VACUUM ANALYZE {}").format(psycopg.sql.Identifier(table)))
        return [*equality(count, dsn), *by_part(count)]


def card(number: int) -> str:
    """An impossible card: a BIN that nobody has; the numbers are spread over the ten digits behind it."""
    return f"629999{number * 7_919 % 10_000_000_000:010}"


def fill(count: int) -> None:
    ring = keys.keyring()
    index = part_index(count)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        clear = [card(number).encode() for number in numbers]
        sealed = seal_batch(ring, [item(number) for number in numbers], clear)
        parts = part_tags.tags_of(ring, index, clear)
        moment = clock.now().isoformat()
        with transaction.atomic(), connection.cursor() as cursor:
            copied(
                cursor,
                COPY_RECORDS,
                (
                    f"{one.record_id}\t{one.item.element}\t{one.key_scope}\t{one.retention_class}\t{one.generation}\t"
                    f"\\\\x{one.sealed.hex()}\tbench\tpublic.cards\tcard\t\\\\x{one.item.source_key.hex()}\tpending\t"
                    f"{moment}\n"
                    for one in sealed
                ),
            )
            copied(
                cursor,
                COPY_TAGS,
                (f"{one.record_id}\t{one.item.element}\t{g}\t\\\\x{t.hex()}\n" for one in sealed for g, t in one.tags),
            )
            copied(
                cursor,
                COPY_PARTS,
                (f"{one.record_id}\t{index.index_id}\t{tag}\n" for one, tag in zip(sealed, parts, strict=True)),
            )


def part_index(count: int) -> part_tags.StandingIndex:
    """Write the index down as a build does; its measures are of no account here."""
    ring = keys.keyring()
    PartIndex.objects.create(
        element=NAME.element.value,
        part=NAME.part.value,
        generation=ring.index_key(NAME.text).generation,
        bits=tag_bits(count),
        state=PartIndexState.READY.value,
        measures=dict.fromkeys(Measures.__slots__, 0) | {"records": count},
        began_at=clock.now(),
        ready_at=clock.now(),
    )
    return part_tags.standing(NAME)[0]


def item(number: int) -> SealItem:
    return SealItem(
        element=Element.BANK_CARD,
        value=Sensitive("", element="bank_card"),  # the clear bytes go beside it
        source_id="bench",
        source_table="public.cards",
        source_column="card",
        source_key=number.to_bytes(32, "big"),
    )


def copied(cursor: object, statement: str, lines: Iterator[str]) -> None:
    with cursor.copy(statement) as copy:  # type: ignore[attr-defined]  # psycopg's cursor under Django's
        copy.write("".join(lines))


def equality(count: int, dsn: str) -> list[Measurement]:
    rng = random.Random(SEED)  # noqa: S311 - the same look-ups in every run
    there = [card(rng.randrange(count)) for _ in range(LOOKUPS * 9 // 10)]
    absent = [card(count + rng.randrange(count)) for _ in range(LOOKUPS // 10)]
    asked = rng.sample([*there, *absent], LOOKUPS)
    found = 0

    def look_up(text: str) -> None:
        nonlocal found
        found += len(vault.find_records(Element.BANK_CARD, Sensitive(text, element="bank_card")))

    look_up(asked[0])  # the key of the index is unwrapped once a process
    found = 0
    times = times_of([lambda text=text: look_up(text) for text in asked])
    assert found == len(there), f"{found} found of {len(there)}"
    with psycopg.connect(dsn, autocommit=True) as bare, connection.cursor() as cursor:
        cursor.execute("SELECT tag FROM vault_index ORDER BY record_id LIMIT %s", [LOOKUPS])
        tags = [bytes(row[0]) for row in cursor.fetchall()]
        alone = times_of([lambda tag=tag: bare.execute(BARE, ["bank_card", tag]).fetchall() for tag in tags])
    what = f"exact look-up over {count:,} sealed rows"
    limit = "the bare index look-up, other values, same run"
    return [
        Measurement(
            what=f"{what}, p50", value=percentile(times, 0.5), unit="ms", limit=limit,
            limit_value=percentile(alone, 0.5),
        ),
        Measurement(
            what=f"{what}, p95", value=percentile(times, 0.95), unit="ms", limit=f"{limit}, p95",
            limit_value=percentile(alone, 0.95),
        ),
        Measurement(
            what=f"{what}, p95", value=percentile(times, 0.95), unit="ms", limit="the goal at 10 million rows",
            limit_value=5,
        ),
    ]  # fmt: skip


def by_part(count: int) -> list[Measurement]:
    rng = random.Random(SEED)  # noqa: S311 - the same look-ups in every run
    asked = [card(rng.randrange(count))[-4:] for _ in range(LOOKUPS // 10)]
    opened = 0

    def look_up(text: str) -> None:
        nonlocal opened
        opened += find_people(NAME, Sensitive(text, element="bank_card")).opened

    look_up(asked[0])
    opened = 0
    times = times_of([lambda text=text: look_up(text) for text in asked])
    what = f"look-up by the last four over {count:,} sealed rows, {opened / len(asked):,.0f} opened each"
    return [
        Measurement(
            what=f"{what}, {name}", value=percentile(times, share), unit="ms", limit="the goal of the design",
            limit_value=20,
        )
        for name, share in (("p50", 0.5), ("p95", 0.95))
    ]  # fmt: skip
