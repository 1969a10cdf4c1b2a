"""Naming the columns of schemas: precision and recall on own labelled schemas, dirty values, and speed.

The development half shaped the rules, so its figures flatter; both held-out halves were frozen before the rules that
are measured on them. All come from one hand: figures on somebody else's schemas will be lower.
"""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.column_schemas import Confusion, LabelledColumn, columns, frozen
from benchmarks.measurement import Measurement, rate_of
from benchmarks.run import Run
from kuimen.kernels.detection import ColumnFinding, ColumnSample, classify_columns
from kuimen.kernels.elements import fictitious
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.kernels.elements.table import rule_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "unit"))
import column_corpus

GRAVE = frozenset({"password", "payment_password", "cvn2", "card_expiry", "track_data", "biometric", "secret_key"})
CLAIMED_A_MINUTE = 80_000
_PREFIXES = ("", "old_", "new_", "bak_", "t_", "f_", "his_", "tmp_")


def _judged(made: Sequence[LabelledColumn], *, comment: bool) -> list[ColumnFinding]:
    samples = [
        ColumnSample(
            table=column.table,
            name=column.name,
            comment=column.comment if comment else "",
            type=column.type,
        )
        for column in made
    ]
    return classify_columns(samples)


def _by_schema(half: str, *, comment: bool) -> tuple[list[str | None], list[ColumnFinding]]:
    made = columns(half)
    truth: list[str | None] = []
    findings: list[ColumnFinding] = []
    for schema in dict.fromkeys(column.schema for column in made):
        own = [column for column in made if column.schema == schema]
        truth += [column.element for column in own]
        findings += _judged(own, comment=comment)
    return truth, findings


def _line(title: str, truth: Sequence[str | None], findings: Sequence[ColumnFinding]) -> str:
    said = [str(finding.element) if finding.element else None for finding in findings]
    confusion = Confusion(tuple(truth), tuple(said))
    precision, recall, f1, macro = confusion.score()
    low, high = confusion.interval(lambda scores: scores[3])
    least, most = confusion.interval(lambda scores: scores[2])
    levels = sum(
        (rule_of(right).level if right else None) == finding.level
        for right, finding in zip(truth, findings, strict=True)
    )
    grave = [element in GRAVE for right, element in zip(truth, said, strict=True) if right in GRAVE]
    return (
        f"| {title} | {len(truth)} | {precision:.3f} | {recall:.3f} | {f1:.3f} ({least:.3f}–{most:.3f}) "
        f"| {macro:.3f} ({low:.3f}–{high:.3f}) | {levels / len(truth):.3f} | {sum(grave)}/{len(grave)} |"
    )


def report(run: Run) -> list[str]:
    """Return the table of accuracy."""
    assert frozen(), "the held-out schemas are not what their hashes say"
    lines = [
        "| columns | n | P | R | micro F1 (95 %) | macro F1 (95 %) | level right | C3 found |",
        "|---|---:|---:|---:|---|---|---:|---:|",
    ]
    for half, title in (("dev", "development"), ("held_out", "held out, first"), ("unseen", "held out, second")):
        for comment in (False, True):
            truth, findings = _by_schema(half, comment=comment)
            lines.append(_line(f"{title}, name and type{', comment' if comment else ''}", truth, findings))
    made = column_corpus.columns(20_261_123, 60 if run.quick else 200, dirt=0.15)
    for comment in (False, True):
        samples = [
            ColumnSample(
                table=one.table,
                name=one.name,
                comment=one.comment if comment else "",
                type=one.type,
                values=one.values,
            )
            for one in made
        ]
        title = f"dirty values, name, type{', comment' if comment else ''}"
        lines.append(_line(title, [one.element for one in made], classify_columns(samples, FICTITIOUS)))
    return lines


def _names(count: int) -> list[ColumnSample]:
    """Return columns with names that no cache has seen."""
    made = columns("dev") + columns("held_out") + columns("unseen")
    return [
        ColumnSample(
            table=f"{column.table}_{at // len(made)}",
            name=f"{_PREFIXES[at // len(made) % len(_PREFIXES)]}{column.name}{at // len(made) or ''}",
            type=column.type,
        )
        for at in range(count)
        for column in (made[at % len(made)],)
    ]


def _classify_names(share: tuple[int, int]) -> int:
    everything = _names(share[1])
    return len(classify_columns(everything[share[0] :: 2]))


def measure(run: Run) -> list[Measurement]:
    count = 4_000 if run.quick else 40_000
    fresh = _names(count)
    one_core = rate_of(lambda: classify_columns(fresh), items=count, rounds=1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_classify_names, [(0, 8), (1, 8)]))
        started = time.perf_counter()
        done = sum(pool.map(_classify_names, [(0, count), (1, count)]))
        two_cores = done / (time.perf_counter() - started)
    mobiles = [fictitious.make_mobile(index) for index in range(200)]
    valued = [ColumnSample(table="t", name=f"f{at}", type="varchar(64)", values=mobiles) for at in range(100)]
    dirty = [
        ColumnSample(table=one.table, name=one.name, comment=one.comment, type=one.type, values=one.values)
        for one in column_corpus.columns(20_261_124, 200, dirt=0.15)
    ]
    claimed = "claimed by a Chinese vendor"
    return [
        Measurement(
            what="columns by name and type, one core", value=one_core, limit=claimed, limit_value=CLAIMED_A_MINUTE / 60
        ),
        Measurement(
            what="columns by name and type, two cores",
            value=two_cores,
            limit=claimed,
            limit_value=CLAIMED_A_MINUTE / 60,
        ),
        Measurement(
            what="columns with 200 dirty values of every kind, one core",
            value=rate_of(lambda: classify_columns(dirty, FICTITIOUS), items=len(dirty)),
            limit=claimed,
            limit_value=CLAIMED_A_MINUTE / 60,
        ),
        Measurement(
            what="columns with 200 mobiles, one core",
            value=rate_of(lambda: classify_columns(valued, FICTITIOUS), items=len(valued)),
            limit=claimed,
            limit_value=CLAIMED_A_MINUTE / 60,
        ),
    ]
