"""Compute a package: gather facts, open what its columns need, generalise until the bounds hold, or say how far off.

Identity values are opened by the disclosure door under one audit entry, turned into an age, a sex and an area at once,
and never leave this module.
"""

import io
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kuimen.gate.consent import services as consent
from kuimen.gate.disclosure.services.derived import derived_for_system
from kuimen.gate.retention import services as retention
from kuimen.gate.vault import services as vault
from kuimen.governance.releases.rules import FIELDS, Form, Wanted, label_of, roles_of
from kuimen.kernels.anonymity import (
    Measures,
    NotAnonymousEnoughError,
    Standing,
    generalise,
    measure,
    pseudonyms,
    suppress_small_cells,
)
from kuimen.kernels.elements import Element
from kuimen.ledger.loans import services as loans
from kuimen.ledger.loans.rules import STATUS_TABLE, LoanStatus
from kuimen.ledger.loans.services import LoanFacts

PROCEDURE: Final = "releases.compute"
PSEUDONYM: Final = "person"
HIDDEN: Final = "*"
TOTAL: Final = "total"
_WORST: Final = tuple(STATUS_TABLE)  # the table stands in order of gravity, settled beside normal

Figures = dict[str, int | float | str | dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What was computed.

    Attributes:
        body: CSV in UTF-8; empty where the bounds were missed.
        persons: whose facts are in it, in no order that tells anything.
        rows: of the table, or shown cells of counts.
        suppressed: rows left out, or cells hidden.
        figures: what was measured, before and after.
        standing: None where the bounds were missed.
    """

    body: bytes
    persons: tuple[UUID, ...] = ()
    rows: int = 0
    suppressed: int = 0
    figures: Figures = field(default_factory=dict)
    standing: Standing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathered:
    persons: list[UUID]
    table: pa.Table
    without_basis: int


def compute(wanted: Wanted, *, purpose: str, key: bytes, package: str, today: date) -> Package:
    """Compute one package.

    Args:
        wanted: an application that `rules.flaw_of` has nothing against.
        purpose: only persons with a legal basis for it are in it.
        key: of the package, for its pseudonyms and the order of its rows.
        package: its name.
        today: ages are as of this day.

    Raises:
        KeysLockedError, SealedValueTamperedError, DisclosureFailedError: from the door; nothing is computed.
    """
    gathered = _gather(wanted.columns, purpose=purpose, today=today)
    before = _measured(gathered.table, wanted.columns)
    figures: Figures = {"persons": gathered.table.num_rows, "without_basis": gathered.without_basis}
    figures |= {f"{name}_before": value for name, value in _figures(before).items()}
    if not gathered.table.num_rows:
        return Package(body=b"", figures=figures)
    if wanted.form is Form.COUNTS:
        return _counts(wanted, gathered, figures)
    return _rows(wanted, gathered, figures, key=key, package=package)


def _rows(wanted: Wanted, gathered: _Gathered, figures: Figures, *, key: bytes, package: str) -> Package:
    quasi, sensitive = roles_of(wanted.columns)
    place = pa.array(np.arange(gathered.table.num_rows))
    table = gathered.table.append_column("place", place)  # carried through, to know who stayed
    ways = {name: way for name in quasi if (way := FIELDS[name].way) is not None}
    try:
        made = generalise(table, ways, bounds=wanted.bounds, sensitive=sensitive, pseudonym_columns=["place"])
    except NotAnonymousEnoughError:
        widest = pa.table(
            {**{name: ways[name].apply(table.column(name), ways[name].top) for name in quasi},
             **{name: table.column(name) for name in sensitive}}
        )  # fmt: skip
        best = measure(widest, quasi_identifiers=quasi, sensitive=sensitive)
        return Package(body=b"", figures=figures | {f"{name}_best": value for name, value in _figures(best).items()})
    stayed = made.table.column("place").to_pylist()
    persons = [gathered.persons[one] for one in stayed]
    marks = pseudonyms(pa.array([str(one) for one in persons]), key=key, package=package)
    shown = made.table.drop_columns(["place"])
    if wanted.pseudonym:
        shown = shown.add_column(0, PSEUDONYM, marks)
    shown = shown.take(pc.array_sort_indices(marks))  # the order of the ledger would lead back
    found = made.measures
    figures |= _figures(found)
    figures["levels"] = dict(made.levels)
    return Package(
        body=_csv(shown),
        persons=tuple(persons),
        rows=shown.num_rows,
        suppressed=made.suppressed_rows,
        figures=figures,
        standing=label_of(wanted, k=found.k, l_distinct=found.l_distinct, t=found.t),
    )


def _counts(wanted: Wanted, gathered: _Gathered, figures: Figures) -> Package:
    """Count persons by two columns, widened to their first level, small cells and what would give them back hidden."""
    columns = []
    for name in wanted.columns:
        way = FIELDS[name].way
        column = gathered.table.column(name)
        columns.append(pc.cast(way.apply(column, 1) if way is not None else column.combine_chunks(), pa.string()))
    encoded = [column.fill_null("").dictionary_encode() for column in columns]
    sizes = [max(len(one.dictionary), 1) for one in encoded]
    places = [one.indices.to_numpy(zero_copy_only=False) for one in encoded]
    counts = np.zeros(sizes, dtype=np.int64)
    np.add.at(counts, (places[0], places[1]), 1)
    order = [np.argsort(np.array(one.dictionary.to_pylist(), dtype=object)) for one in encoded]
    counts = counts[np.ix_(order[0], order[1])]
    shown = suppress_small_cells(counts, at_least=wanted.bounds.k)
    names = [[one.dictionary.to_pylist()[at] for at in rank] for one, rank in zip(encoded, order, strict=True)]
    table = {wanted.columns[0]: [*names[0], TOTAL]}
    for at, name in enumerate(names[1]):
        cells = [str(count) if show else HIDDEN for count, show in zip(counts[:, at], shown[:, at], strict=True)]
        table[f"{wanted.columns[1]}={name}"] = [*cells, str(int(counts[:, at].sum()))]
    table[TOTAL] = [*(str(int(count)) for count in counts.sum(axis=1)), str(int(counts.sum()))]
    visible = counts[shown & (counts > 0)]
    margins = np.concatenate([counts.sum(axis=0), counts.sum(axis=1)])
    smallest = int(min(visible.min(initial=np.iinfo(np.int64).max), margins[margins > 0].min()))
    figures |= {"k": smallest, "cells": int(counts.size), "cells_hidden": int((~shown).sum())}
    if smallest < wanted.bounds.k or not len(visible):  # a margin that is small itself, or nothing is left to show
        return Package(body=b"", figures=figures)
    return Package(
        body=_csv(pa.table(table)),
        persons=tuple(gathered.persons),
        rows=int(shown.sum()),
        suppressed=int((~shown).sum()),
        figures=figures,
        standing=label_of(wanted, k=smallest, l_distinct=0, t=1.0),
    )


def _csv(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    csv.write_csv(table, stream)
    return stream.getvalue()


def _measured(table: pa.Table, columns: Sequence[str]) -> Measures:
    quasi, sensitive = roles_of(columns)
    return measure(table, quasi_identifiers=quasi, sensitive=sensitive)


def _figures(found: Measures) -> Figures:
    figures: Figures = {"k": found.k, "groups": found.classes, "unique": found.unique_rows}
    if found.by_column:
        figures |= {"l": found.l_distinct, "t": round(found.t, 3)}
    return figures


def _gather(columns: Collection[str], *, purpose: str, today: date) -> _Gathered:
    """Return a row a person: the facts of the ledger, and what the vault tells of the person."""
    by_person: dict[UUID, list[LoanFacts]] = defaultdict(list)
    for one in loans.every_loan():
        by_person[one.customer_ref].append(one)
    gone = retention.hidden_persons()
    known = [person for person in by_person if person not in gone]
    allowed = consent.bases_for(known, purpose)
    persons = sorted((person for person in known if person in allowed), key=str)
    needs_vault = any(FIELDS[name].element is not None for name in columns)
    told = _identities(persons, purpose=purpose, today=today) if needs_vault else {}
    rows = [
        _facts(by_person[person]) | told.get(person, {"age": None, "sex": None, "region": None}) for person in persons
    ]
    types = {"age": pa.int64(), "sex": pa.string(), "region": pa.string(), "issued": pa.date32(),
             "term": pa.int64(), "amount": pa.int64(), "loans": pa.int64(), "status": pa.string(),
             "overdue": pa.bool_(), "balance": pa.decimal128(14, 2)}  # fmt: skip
    table = pa.table({name: pa.array([row[name] for row in rows], types[name]) for name in columns})
    return _Gathered(persons=persons, table=table, without_basis=len(known) - len(persons))


def _facts(held: Sequence[LoanFacts]) -> dict[str, object]:
    worst = max((one.status for one in held), key=_WORST.index)
    return {
        "issued": min(date.fromisoformat(one.issued_on) for one in held),
        "term": max(one.term_months for one in held),
        "amount": int(sum(one.principal for one in held)),
        "loans": len(held),
        "status": LoanStatus(worst).value,
        "overdue": any(STATUS_TABLE[one.status].overdue for one in held),
        "balance": sum(one.balance for one in held),
    }


def _identities(persons: Sequence[UUID], *, purpose: str, today: date) -> Mapping[UUID, dict[str, object]]:
    """Open identity numbers, one a person, and keep what the columns are made of."""
    found = vault.records_of_many(persons, [Element.RESIDENT_ID])
    record_of = {held[Element.RESIDENT_ID][0].record_id: person for person, held in found.items() if held}
    derived = derived_for_system(f"release.{purpose}", list(record_of), procedure=PROCEDURE, today=today)
    return {
        record_of[record_id]: {"age": one.age, "sex": "男" if one.is_man else "女", "region": one.area}
        for record_id, one in derived.items()
    }
