"""The benchmark's held-out sentences are the ones that were frozen, and the floors hold on a part of them."""

from collections import Counter

import pytest

from benchmarks.detection_sentences import (
    DEVELOPMENT,
    DEVELOPMENT_NEGATIVES,
    HELD_OUT,
    HELD_OUT_HASH,
    HELD_OUT_NEGATIVES,
    STRUCTURED,
    hash_of,
    held_out,
)
from kuimen.kernels.detection import detect
from kuimen.kernels.elements.overlay import FICTITIOUS


def test_the_held_out_sentences_are_those_that_were_frozen() -> None:
    assert hash_of(held_out(4000)) == HELD_OUT_HASH


def test_the_sets_share_no_template() -> None:
    developed = set((DEVELOPMENT + DEVELOPMENT_NEGATIVES).split("\n")) - {""}
    assert developed.isdisjoint((HELD_OUT + HELD_OUT_NEGATIVES).split("\n"))


@pytest.mark.clause("CQJR-6.2-b")
def test_the_floors_hold_on_sentences_that_were_held_out() -> None:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for sentence in held_out(4000)[:2500]:
        seen = {
            (str(one.element), one.start, one.end)
            for one in detect(sentence.text, elements=STRUCTURED, tables=FICTITIOUS)
        }
        right.update(element for element, *_ in seen & sentence.gold)
        wrong.update(element for element, *_ in seen - sentence.gold)
        missed.update(element for element, *_ in sentence.gold - seen)
    for element in STRUCTURED:
        assert right[element] / (right[element] + missed[element]) >= 0.999, (element, missed)
        assert right[element] / (right[element] + wrong[element]) >= 0.995, (element, wrong)
