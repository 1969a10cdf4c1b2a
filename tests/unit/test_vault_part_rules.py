"""What may be cut out of a value, the life of an index of parts, and the words of policy about them."""

import re

import pytest

from kuimen.gate.access.policy import shipped_texts
from kuimen.gate.vault.part_rules import (
    DECLARED,
    PART_TRANSITIONS,
    IndexName,
    Part,
    PartIndexEvent,
    PartIndexState,
    next_part_state,
    part_of,
    said_flaw,
)
from kuimen.gate.vault.rules import INDEXED_ELEMENTS
from kuimen.kernels.elements.model import Element


@pytest.mark.parametrize(
    ("part", "value", "cut"),
    [
        (Part.LAST_FOUR, "19990001234", "1234"),
        (Part.LAST_FOUR, "99010119900101123X", "123X"),
        (Part.LAST_FOUR, "1234567", None),  # half of it and more would be told
        (Part.FIRST_THREE, "19990001234", "199"),
        (Part.BOTH_ENDS, "19990001234", "1991234"),
        (Part.BOTH_ENDS, "02088880000", None),
        (Part.SURNAME, "欧阳测试", "欧阳"),
        (Part.SURNAME, "欧阳", "欧"),
        (Part.SURNAME, "王测试", "王"),
        (Part.SURNAME, "Wang", None),
        (Part.WHOLE, "", None),
    ],
)
def test_a_part_is_cut_or_the_value_has_none(part: Part, value: str, cut: str | None) -> None:
    assert part_of(part, value) == cut


@pytest.mark.parametrize(("part", "said"), [(Part.LAST_FOUR, "123"), (Part.BOTH_ENDS, "1234"), (Part.SURNAME, "王小明"),
                                            (Part.WHOLE, "")])  # fmt: skip
def test_a_question_that_is_no_part_is_refused(part: Part, said: str) -> None:
    assert said_flaw(part, said)


def test_every_state_and_event_of_an_index_is_decided() -> None:
    reached = {(state, event): next_part_state(state, event) for state in PartIndexState for event in PartIndexEvent}
    assert {pair: after for pair, after in reached.items() if after} == PART_TRANSITIONS
    assert not any(state is PartIndexState.DROPPED for state, _ in PART_TRANSITIONS)


def test_policy_lets_nobody_search_what_is_neither_declared_nor_indexed() -> None:
    named = set(re.findall(r'"([a-z_]+)/([a-z_]+)"', shipped_texts()["40_search.cedar"]))
    whole = {(element.value, Part.WHOLE.value) for element in INDEXED_ELEMENTS}
    declared = {(element.value, part.value) for element, parts in DECLARED.items() for part in parts}
    assert named <= whole | declared
    assert ("person_name", "surname") not in named


def test_names_of_index_keys_fit_the_key_table() -> None:
    longest = max(len(IndexName(element=element, part=part).text) for element in Element for part in Part)
    assert longest <= 40
