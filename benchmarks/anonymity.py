"""k, l and t beside pycanon on the same table, and the test-data factory beside one identity at a time.

pycanon pins older packages than Kuimen, so it runs in an interpreter of its own: name it in `KUIMEN_PYCANON_PYTHON`
(`python -m venv peers; peers/bin/pip install pycanon pyarrow setuptools`). Without it only our own figures are shown.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.measurement import Measurement
from benchmarks.run import Run
from kuimen.kernels.anonymity import Measures
from kuimen.kernels.anonymity import measure as measured
from kuimen.kernels.elements import Element
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.fabrication import ColumnSpec, Kind, TableSpec, Treatment, fabricate

ROWS, PEER_ROWS, QUICK_ROWS = 1_000_000, 20_000, 2_000
MADE, QUICK_MADE = 200_000, 5_000
SINGLE = 20_000
QUASI = ("age", "sex", "region", "term", "grade")
SENSITIVE = ("status",)
PEER_VARIABLE = "KUIMEN_PYCANON_PYTHON"


def people(rows: int) -> pa.Table:
    draw = np.random.default_rng(20_180_831)
    return pa.table(
        {
            "age": pa.array(draw.integers(4, 14, rows) * 5).cast(pa.string()),
            "sex": pa.array(draw.integers(0, 2, rows)).cast(pa.string()),
            "region": pa.array(draw.integers(11, 17, rows)).cast(pa.string()),
            "term": pa.array(draw.choice([12, 36, 60], rows)).cast(pa.string()),
            "grade": pa.array(draw.choice(list("ABC"), rows)),
            "status": pa.array(draw.choice(["normal", "late", "settled", "off"], rows, p=[0.8, 0.1, 0.07, 0.03])),
        }
    )


def ours(table: pa.Table) -> tuple[Measures, float]:
    began = time.process_time()
    found = measured(table, quasi_identifiers=QUASI, sensitive=SENSITIVE)
    return found, time.process_time() - began


def peer(table: pa.Table) -> dict[str, float] | None:
    interpreter = os.environ.get(PEER_VARIABLE)
    if not interpreter:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.parquet"
        parquet.write_table(table, path)
        script = Path(__file__).with_name("anonymity_peer.py")
        answer = subprocess.run(  # noqa: S603 - the interpreter that the person who measures names
            [interpreter, str(script), str(path), ",".join(QUASI), ",".join(SENSITIVE)],
            capture_output=True, check=True, text=True,
        )  # fmt: skip
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def measuring(run: Run) -> list[Measurement]:
    small = people(QUICK_ROWS if run.quick else PEER_ROWS)
    found, seconds = ours(small)
    rows = []
    theirs = peer(small)
    if theirs is not None:
        same = (found.k, found.l_distinct, round(found.t, 6)) == (theirs["k"], theirs["l"], round(theirs["t"], 6))
        assert same, f"two answers to one question: {found} and {theirs}"
        rows.append(
            Measurement(
                what=f"k, l and t of {small.num_rows:,} rows, five quasi-identifiers (the same three figures)",
                value=small.num_rows / seconds, limit="pycanon",
                limit_value=small.num_rows / theirs["seconds"],
            )
        )  # fmt: skip
    large = people(10 * QUICK_ROWS if run.quick else ROWS)
    _, whole = ours(large)
    rows.append(
        Measurement(
            what=f"the same of {large.num_rows:,} rows", value=large.num_rows / whole,
            limit=f"{small.num_rows:,} rows", limit_value=small.num_rows / seconds,
        )
    )  # fmt: skip
    return rows


def columns(rows: int) -> tuple[TableSpec, dict[str, pa.Array]]:
    draw = np.random.default_rng(7)
    who = draw.integers(0, min(rows, 90_000), rows)
    made = {
        "id_no": [f"1101011990{one:08d}" for one in who],
        "name": [f"张{chr(0x4E00 + one % 5000)}" for one in who],
        "mobile": [f"138{one:08d}" for one in who],
        "born": ["1990-01-01"] * rows,
        "card": [f"62220212345{one:08d}" for one in who],
        "address": [f"某市某区某路{one}号" for one in who],
        "amount": [f"{one:.2f}" for one in draw.gamma(2, 8000, rows)],
        "issued": ["2024-03-05"] * rows,
        "status": draw.choice(["normal", "late", "settled"], rows).tolist(),
        "loan_no": [f"LN2024{one:08d}" for one in range(rows)],
    }
    spec = TableSpec(
        name="t",
        columns=(
            ColumnSpec(name="id_no", treatment=Treatment.IDENTIFIER, element=Element.RESIDENT_ID),
            ColumnSpec(name="name", treatment=Treatment.NAME, element=Element.PERSON_NAME),
            ColumnSpec(name="mobile", treatment=Treatment.IDENTIFIER, element=Element.MOBILE),
            ColumnSpec(name="born", treatment=Treatment.BIRTH, element=Element.BIRTH_DATE, kind=Kind.DATE),
            ColumnSpec(name="card", treatment=Treatment.IDENTIFIER, element=Element.BANK_CARD),
            ColumnSpec(name="address", treatment=Treatment.IDENTIFIER, element=Element.ADDRESS),
            ColumnSpec(name="amount", treatment=Treatment.FACT, kind=Kind.NUMBER),
            ColumnSpec(name="issued", treatment=Treatment.FACT, kind=Kind.DATE),
            ColumnSpec(name="status", treatment=Treatment.FACT),
            ColumnSpec(name="loan_no", treatment=Treatment.KEY, domain="loan"),
        ),
    )
    return spec, {name: pa.array(values) for name, values in made.items()}


def making(run: Run) -> list[Measurement]:
    spec, table = columns(QUICK_MADE if run.quick else MADE)
    began = time.process_time()
    fabricate({spec: table}, key=bytes(range(32)))
    seconds = time.process_time() - began
    singles = SINGLE // 10 if run.quick else SINGLE
    draw = Random(1)  # noqa: S311 - made-up people
    began = time.process_time()
    for number in range(singles):
        make_identity(draw, number)
    alone = time.process_time() - began
    rows = len(table["id_no"])
    return [
        Measurement(
            what=f"test data of {rows:,} rows, ten columns, looked at and made",
            value=rows / seconds,
            limit="fictitious identities made one at a time, consistent with nothing else", limit_value=singles / alone,
        )
    ]  # fmt: skip


def measure(run: Run) -> list[Measurement]:
    return [*measuring(run), *making(run)]
