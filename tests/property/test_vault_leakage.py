"""The stated bound of what frequencies name holds for whatever distribution, and short tags only lower it."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kuimen.gate.vault.part_rules import LONGEST_TAG, Part
from kuimen.gate.vault.parts.leakage import Counts, Flaw, flaws_of, measures_of, named_by_frequency, tag_bits, told

frequencies = st.lists(st.integers(1, 400), min_size=1, max_size=300)


@given(frequencies, st.integers(0, 2**32))
def test_who_knows_every_frequency_names_no_more_than_stated_in_the_mean_of_many_attacks(
    sizes: list[int], seed: int
) -> None:
    rng = random.Random(seed)
    attacks = [named_by_attack(sizes, rng) for _ in range(40)]
    assert sum(attacks) / len(attacks) <= named_by_frequency(np.array(sizes)) * sum(sizes) + 1e-9


def named_by_attack(sizes: list[int], rng: random.Random) -> int:
    """Give every tag a part that is as frequent, drawn among those; return how many records that names rightly."""
    groups: dict[int, list[int]] = {}
    for part, size in enumerate(sizes):
        groups.setdefault(size, []).append(part)
    return sum(
        size * sum(part == guess for part, guess in zip(parts, rng.sample(parts, len(parts)), strict=True))
        for size, parts in groups.items()
    )


@given(st.integers(0, 10**9))
def test_a_tag_is_shared_by_eight_in_the_mean_as_long_as_there_are_eight(records: int) -> None:
    bits = tag_bits(records)
    assert 1 <= bits <= LONGEST_TAG
    if 16 <= records <= 8 * 2**LONGEST_TAG:
        assert 8 <= records / 2**bits < 16


@given(frequencies)
def test_measures_fit_each_other_and_every_flaw_is_told_in_both_languages(sizes: list[int]) -> None:
    counts = Counts(records=np.array(sizes), people=np.array(sizes))
    for part in Part:
        measures = measures_of(counts, part=part)
        assert measures.records == sum(sizes)
        assert 0 <= measures.min_entropy_bits <= measures.entropy_bits + 1e-9
        assert measures.smallest <= measures.median
        assert 0 <= measures.wrong_per_search <= measures.per_search <= measures.records
        assert 0 <= measures.alone <= 1
        assert 0 < measures.named <= 1
        assert Flaw.UNDECLARED in flaws_of(measures, part=part, declared=False)
        for flaw in Flaw:
            assert all(told(flaw, measures))


def test_nothing_measured_is_nothing_admitted() -> None:
    none = np.zeros(0, dtype=np.int64)
    for part in Part:
        measures = measures_of(Counts(records=none, people=none), part=part)
        assert Flaw.TOO_FEW_VALUES in flaws_of(measures, part=part, declared=True)
