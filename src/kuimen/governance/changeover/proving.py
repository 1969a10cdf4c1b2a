"""Clean up behind dropped columns, and look for every original in the server's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from kuimen.governance.changeover import source
from kuimen.governance.changeover.plan import TableChange
from kuimen.governance.protection.originals import Original
from kuimen.governance.protection.places import find_places
from kuimen.governance.protection.proof import TABLE_FILES, search_places, server_files, split_needles
from kuimen.governance.protection.scrub import ScrubStep, scrub_database
from kuimen.governance.protection.session import SourceSession, translated
from kuimen.kernels.sealed_columns import ColumnKeySource, SealedColumn, row_context
from kuimen.sources.overlays import tables_of

MOST_ORIGINALS = 500_000
OWN, STATISTICS = "this table", "statistics"
ELSEWHERE = frozenset({TABLE_FILES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One place that was searched; `counts` tells whether hits in it are what this changeover left."""

    name: str
    counts: bool
    files: int
    bytes: int
    hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoverReport:
    """How the clean-up went and what was found afterwards.

    Attributes:
        needles: distinct originals of eight bytes and more that were searched, in plain, hex, base64 and UTF-16.
        hits: found in this table's files, the statistics, the write-ahead log or the server's log.
        not_covered: what could not be read; never counted as 0.
    """

    steps: tuple[ScrubStep, ...]
    places: tuple[Searched, ...]
    needles: int
    hits: int
    not_covered: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Tell whether every step was done and nothing was found."""
        return not self.hits and all(step.state in {"done", "not_applicable"} for step in self.steps)


def clean_and_prove(
    session: SourceSession,
    plan: TableChange,
    *,
    parameters: Mapping[str, str],
    keys: ColumnKeySource,
    overlay: str | None,
) -> LeftoverReport:
    """Rewrite the table, turn over statistics, write-ahead log and server log, then search; see `services.scrub`."""
    deep = SourceSession(parameters)
    try:
        places = find_places(deep)
        scrubbed = scrub_database(
            deep, label=plan.label, places=places, recognition=tables_of(overlay), only=[(plan.schema, plan.name)]
        )
        try:
            deep.connection.execute("CHECKPOINT")
        except psycopg.Error:
            places = find_places(deep)
        raw, rescan = split_needles(_originals(session, plan, keys))
        own, statistics = source.own_files(deep.connection, plan)
        searched, unread = search_places(raw, _sorted_out(server_files(places), own, statistics))
    finally:
        deep.close()
    found = tuple(
        Searched(
            name=place.name,
            counts=place.name not in ELSEWHERE and not place.name.startswith("database "),
            files=place.files,
            bytes=place.bytes,
            hits=place.hits,
        )
        for place in searched
    )
    reasons = [reason for reason in (places.data_reason, places.log_reason) if reason]
    short = [f"{len(rescan)} values of fewer than eight bytes or of small sets are not searched"] if rescan else []
    return LeftoverReport(
        steps=scrubbed.steps,
        places=found,
        needles=len(raw),
        hits=sum(place.hits for place in found if place.counts),
        not_covered=(*places.not_covered, *reasons, *short, *unread),
    )


def _originals(session: SourceSession, plan: TableChange, keys: ColumnKeySource) -> set[Original]:
    """Open the sealed columns again: what they hold is what must not stand anywhere in clear."""
    found: set[Original] = set()
    for one in plan.columns:
        sealing = SealedColumn(plan.place_of(one), keys=keys)
        with translated():
            rows = session.connection.execute(source.sealed_query(plan, one, most=MOST_ORIGINALS)).fetchall()
        texts = sealing.open([bytes(row[1]) for row in rows], rows=[row_context(row[0]) for row in rows])
        found.update(Original(element=one.element, text=text) for text in texts if text)
    return found


def _sorted_out(
    places: list[tuple[str, list[Path]]], own: set[str], statistics: set[str]
) -> list[tuple[str, list[Path]]]:
    """Tell the table's own files and the statistics from those of other tables, which may hold the same values."""
    sorted_out: list[tuple[str, list[Path]]] = []
    for name, files in places:
        if name != TABLE_FILES:
            sorted_out.append((name, files))
            continue
        split: dict[str, list[Path]] = {OWN: [], STATISTICS: [], TABLE_FILES: []}
        for path in files:
            node = path.name.split(".")[0].split("_")[0]
            split[OWN if node in own else STATISTICS if node in statistics else TABLE_FILES].append(path)
        sorted_out += split.items()
    return sorted_out
