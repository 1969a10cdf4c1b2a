import datetime as dt
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.kernels.anonymity import (
    AnonymityColumnError,
    AnonymityLevelError,
    Bounds,
    Dates,
    NotAnonymousEnoughError,
    Ordering,
    Prefixes,
    PseudonymKeyError,
    Ranges,
    Standing,
    generalise,
    measure,
    pseudonyms,
    suppress_small_cells,
)
from kuimen.kernels.anonymity.ways import Way

ANSWERS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "anonymity" / "answers.json").read_text(encoding="utf-8")
)["cases"]
KEY = bytes(range(16))


def borrowers(rows: int, *, seed: int = 7) -> pa.Table:
    draw = random.Random(seed)
    return pa.table(
        {
            "age": [draw.randint(20, 64) for _ in range(rows)],
            "place": [f"99{draw.randint(1, 4):02d}{draw.randint(1, 9):02d}" for _ in range(rows)],
            "since": [dt.date(2020, 1, 1) + dt.timedelta(days=draw.randint(0, 900)) for _ in range(rows)],
            "days_late": [draw.choice([0, 0, 0, 0, 16, 31, 90]) for _ in range(rows)],
        }
    )


WAYS = {"age": Ranges([5, 10, 20]), "place": Prefixes([4, 2]), "since": Dates()}


@pytest.mark.parametrize("case", ANSWERS)
def test_measures_agree_with_pycanon(case: dict[str, Any]) -> None:
    found = measure(pa.table(case["rows"]), quasi_identifiers=case["quasi_identifiers"], sensitive=["state", "days"])
    assert found.k == case["k"]
    for name, one in found.by_column.items():
        assert one.l_distinct == case["l"][name]
        assert math.floor(one.l_entropy + 1e-6) == case["entropy_l"][name]
        assert one.t == pytest.approx(case["t"][name], abs=1e-8)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.integers(0, 3)), min_size=1))
def test_k_and_l_are_what_counting_by_hand_gives(rows: list[tuple[str, str | None, int]]) -> None:
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(("one", "two", "secret"))})
    groups = defaultdict(list)
    for one, two, secret in rows:
        groups[(one, two)].append(secret)
    found = measure(table, quasi_identifiers=["one", "two"], sensitive=["secret"])
    assert found.k == min(map(len, groups.values()))
    assert found.classes == len(groups)
    assert found.unique_rows == sum(len(group) == 1 for group in groups.values())
    assert found.l_distinct == min(len(set(group)) for group in groups.values())
    everybody = Counter(row[2] for row in rows)
    equally_far = measure(
        table, quasi_identifiers=["one", "two"], sensitive=["secret"], orderings={"secret": Ordering.EQUAL}
    )
    assert equally_far.t == pytest.approx(
        max(
            sum(abs(Counter(g)[v] / len(g) - everybody[v] / len(rows)) for v in everybody) / 2 for g in groups.values()
        ),
        abs=1e-8,
    )


def test_an_empty_table_shows_nothing() -> None:
    found = measure(
        pa.table({"a": pa.array([], pa.string()), "s": pa.array([], pa.string())}),
        quasi_identifiers=["a"],
        sensitive=["s"],
    )
    assert (found.k, found.l_distinct, found.t) == (0, 0, 1.0)
    assert measure(pa.table({"a": ["x"]}), quasi_identifiers=["a"]).t == 1.0


@pytest.mark.parametrize("bounds", [Bounds(k=5), Bounds(k=10, l_distinct=3), Bounds(k=5, l_distinct=2, t=0.2)])
def test_a_release_keeps_its_bounds_and_no_column_can_be_let_down(bounds: Bounds) -> None:
    table = borrowers(2_000)
    found = generalise(table, WAYS, bounds=bounds, sensitive=["days_late"])
    again = measure(found.table, quasi_identifiers=list(WAYS), sensitive=["days_late"])
    assert again == found.measures
    assert again.k >= bounds.k
    assert again.l_distinct >= bounds.l_distinct
    assert again.t <= bounds.t + 1e-9
    assert found.suppressed_rows == table.num_rows - found.table.num_rows <= bounds.largest_suppressed * 2_000
    assert found.table.column_names == table.column_names
    assert any(found.levels.values())
    for name, level in found.levels.items():
        if level:
            lower = {
                other: way if other != name else Fixed(way, level - 1) for other, way in fixed(found.levels).items()
            }
            with pytest.raises(NotAnonymousEnoughError):
                generalise(table, lower, bounds=bounds, sensitive=["days_late"])


class Fixed:
    """A way that knows one level only."""

    top = 0

    def __init__(self, way: Way, level: int) -> None:
        self.way = way.way if isinstance(way, Fixed) else way
        self.level = level

    def apply(self, column: pa.ChunkedArray, level: int) -> pa.Array:
        del level
        return self.way.apply(column, self.level)


def fixed(levels: Mapping[str, int]) -> dict[str, Fixed]:
    return {name: Fixed(way, levels[name]) for name, way in WAYS.items()}


def test_what_carries_a_pseudonym_is_deidentified_and_never_anonymised() -> None:
    table = borrowers(300)
    refs = pa.array([f"ref-{row}" for row in range(300)])
    named = table.append_column("pseudonym", pseudonyms(refs, key=KEY, package="2026-Q3 模型样本"))
    bounds = Bounds(k=3, largest_suppressed=0.2)
    carried = generalise(named, WAYS, bounds=bounds, sensitive=["days_late"], pseudonym_columns=["pseudonym"])
    assert carried.standing is Standing.DEIDENTIFIED
    assert generalise(table, WAYS, bounds=bounds, sensitive=["days_late"]).standing is Standing.ANONYMISED


def test_a_column_nobody_spoke_of_does_not_go_out() -> None:
    table = borrowers(50).append_column("mobile", pa.array(["19990000001"] * 50))
    with pytest.raises(AnonymityColumnError, match="mobile; drop them"):
        generalise(table, WAYS, bounds=Bounds(k=2), sensitive=["days_late"])


def test_too_few_people_are_not_released() -> None:
    with pytest.raises(NotAnonymousEnoughError, match="release nothing"):
        generalise(borrowers(4), WAYS, bounds=Bounds(k=5), sensitive=["days_late"])


def test_pseudonyms_join_within_a_package_and_not_across() -> None:
    values = pa.array(["a", None, "b", "a"])
    one = pseudonyms(values, key=KEY, package="one").to_pylist()
    assert one[0] == one[3] != one[2]
    assert one[1] is None
    assert one == pseudonyms(values, key=KEY, package="one").to_pylist()
    others = (
        pseudonyms(values, key=KEY, package="two").to_pylist()
        + pseudonyms(values, key=bytes(16), package="one").to_pylist()
    )
    assert not {name for name in others if name} & {name for name in one if name}
    for key, package in ((bytes(15), "one"), (KEY, " ")):
        with pytest.raises(PseudonymKeyError):
            pseudonyms(values, key=key, package=package)


@given(st.integers(2, 5), st.integers(2, 5), st.data())
def test_no_total_gives_a_hidden_cell_back(rows: int, columns: int, data: st.DataObject) -> None:
    counts = np.array(data.draw(st.lists(st.integers(0, 12), min_size=rows * columns, max_size=rows * columns)))
    counts = counts.reshape(rows, columns)
    shown = suppress_small_cells(counts, at_least=4)
    assert not (shown & (counts > 0) & (counts < 4)).any()
    hidden = ~shown
    assert not (hidden.sum(axis=0) == 1).any()
    assert not (hidden.sum(axis=1) == 1).any()
    if not ((counts > 0) & (counts < 4)).any():
        assert shown.all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Ranges([5, 12]),
        lambda: Ranges([]),
        lambda: Prefixes([2, 4]),
        lambda: Bounds(k=1),
        lambda: Bounds(t=1.5),
        lambda: Bounds(largest_suppressed=1.0),
        lambda: suppress_small_cells(np.array([1, 2]), at_least=3),
        lambda: suppress_small_cells(np.array([[1, 2]]), at_least=1),
        lambda: suppress_small_cells(np.array([[1, -2]]), at_least=3),
    ],
)
def test_bounds_and_ways_that_contradict_themselves_are_named(wrong: Callable[[], object]) -> None:
    with pytest.raises(AnonymityLevelError):
        wrong()


@pytest.mark.parametrize(
    ("way", "column"), [(Ranges([5]), ["a"]), (Dates(), ["2020-01-01"]), (Prefixes([2]), [990000])]
)
def test_a_way_refuses_a_column_of_another_type(way: Way, column: list[Any]) -> None:
    with pytest.raises(AnonymityColumnError):
        way.apply(pa.chunked_array([column]), 1)


def test_columns_are_named_once_and_have_one_part() -> None:
    table = borrowers(10)
    for quasi, sensitive in (([], []), (["age"], ["age"]), (["age", "age"], []), (["nothing"], [])):
        with pytest.raises(AnonymityColumnError):
            measure(table, quasi_identifiers=quasi, sensitive=sensitive)
