"""Pure decisions of the door, the vault and the keys: whole tables, answers compared, reasons without numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.gate.disclosure.rules import (
    CHALLENGES,
    DEFAULT_LIMITS,
    HIGHEST_LIMITS,
    REASON_TITLES,
    ChallengeForm,
    LimitName,
    ReasonCode,
    answer_flaw,
    counts_as_lookup,
    is_reference,
    limits_of,
    matches,
    may_be_shown,
    reason_flaw,
)
from kuimen.gate.keys.rules import TRANSITIONS as KEY_TRANSITIONS
from kuimen.gate.keys.rules import KeyEvent, KeyState
from kuimen.gate.keys.rules import next_state as next_key_state
from kuimen.gate.vault.rules import INDEXED_ELEMENTS, RecordEvent, RecordState, SealOutcome, next_state, second_write
from kuimen.kernels.ciphers.index import NORMAL_FORMS
from kuimen.kernels.elements import ELEMENT_TABLE, Category, Display, Element, Storage


@pytest.mark.parametrize("event", KeyEvent)
@pytest.mark.parametrize("state", KeyState)
def test_every_key_state_and_event_is_decided_by_the_table(state: KeyState, event: KeyEvent) -> None:
    assert next_key_state(state, event) is KEY_TRANSITIONS.get((state, event))


def test_a_destroyed_key_never_comes_back_and_nothing_is_destroyed_at_once() -> None:
    assert all(next_key_state(KeyState.DESTROYED, event) is None for event in KeyEvent)
    assert next_key_state(KeyState.ACTIVE, KeyEvent.DESTROY) is None


@pytest.mark.parametrize("event", RecordEvent)
@pytest.mark.parametrize("state", RecordState)
def test_every_record_state_and_event_is_decided(state: RecordState, event: RecordEvent) -> None:
    allowed = {
        RecordState.PENDING: {RecordEvent.RESEAL, RecordEvent.BIND, RecordEvent.SUSPEND, RecordEvent.DESTROY},
        RecordState.BOUND: {RecordEvent.RESEAL, RecordEvent.SUSPEND, RecordEvent.DESTROY},
        RecordState.SUSPENDED: {RecordEvent.RESUME, RecordEvent.RESUME_UNBOUND, RecordEvent.DESTROY},
        RecordState.DESTROYED: set(),
    }
    assert (next_state(state, event) is not None) == (event in allowed[state])


@pytest.mark.parametrize("same_person", [True, False])
@pytest.mark.parametrize("same_value", [True, False])
@pytest.mark.parametrize("replace_bound", [True, False])
@pytest.mark.parametrize("state", RecordState)
def test_a_bound_record_changes_only_on_purpose(
    *, state: RecordState, same_value: bool, same_person: bool, replace_bound: bool
) -> None:
    outcome = second_write(state=state, same_value=same_value, same_person=same_person, replace_bound=replace_bound)
    if state in {RecordState.SUSPENDED, RecordState.DESTROYED}:
        assert outcome is None
    elif same_value and same_person:
        assert outcome is SealOutcome.UNCHANGED
    elif state is RecordState.BOUND and not replace_bound:
        assert outcome is None
    else:
        assert outcome is SealOutcome.RESEALED


def test_every_indexed_element_can_be_normalised_and_none_has_few_values() -> None:
    assert set(INDEXED_ELEMENTS) <= set(NORMAL_FORMS)
    assert not INDEXED_ELEMENTS & {Element.SEX, Element.NATIONALITY, Element.OCCUPATION, Element.PERSON_NAME}
    assert not any(ELEMENT_TABLE[element].storage is Storage.DESTROY for element in INDEXED_ELEMENTS)


@pytest.mark.clause("JRT0171-6.1.4.1-b")
def test_no_c3_and_nothing_marked_never_is_shown_in_clear() -> None:
    for element, rule in ELEMENT_TABLE.items():
        if rule.category is Category.C3 or rule.display is Display.NEVER:
            assert not may_be_shown(element)
            assert element not in CHALLENGES
        assert counts_as_lookup(element) == (rule.category in (Category.C2, Category.C3))


def test_limits_default_to_the_strict_values_and_lie_under_the_highest() -> None:
    limits = limits_of({})
    assert (limits.rows_per_view, limits.people_per_day, limits.reveals_per_day) == (100, 100, 10)
    assert (limits.wrong_answers_per_day, limits.reveal_seconds) == (3, 60)
    assert limits_of({"reveals_per_day": 5}).reveals_per_day == 5
    assert all(DEFAULT_LIMITS[name] <= HIGHEST_LIMITS[name] for name in LimitName)
    assert set(REASON_TITLES) == set(ReasonCode)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "短",
        "aaaaaaaaaa",
        "      ",
        "一" * 201,
        "打给19990001234确认",
        "号码 199-9000-1234",
        "１９９９０００１２３４ 回拨",
    ],
)
def test_a_reason_that_says_nothing_or_holds_a_number_is_refused(text: str) -> None:
    flaw = reason_flaw(text)
    assert flaw is not None
    assert "1234" not in flaw


@pytest.mark.parametrize(
    "text", ["客户来电核实本人身份", "Customer asks to correct the address", "2026年11月投诉单需核对"]
)
def test_a_reason_in_words_is_taken(text: str) -> None:
    assert reason_flaw(text) is None


@pytest.mark.parametrize("text", ["", "13812345678", "ref 13812345678", "99010119900101123X", "客户", "a" * 201, "-x"])
def test_what_looks_like_a_persons_number_is_no_reference(text: str) -> None:
    assert not is_reference(text)


@given(st.uuids())
def test_every_uuid_is_a_reference(ref: object) -> None:
    assert is_reference(str(ref))


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_last_four_match_exactly_when_the_folded_ends_are_equal(value: str, answer: str) -> None:
    from kuimen.gate.disclosure.rules import normalised_answer

    if answer_flaw(ChallengeForm.LAST_FOUR, answer) is not None:
        return
    folded = normalised_answer(value)
    expected = len(folded) > 4 and folded[-4:] == normalised_answer(answer)
    assert matches(ChallengeForm.LAST_FOUR, value, answer) == expected


@pytest.mark.parametrize(
    ("form", "value", "answer", "right"),
    [
        (ChallengeForm.LAST_FOUR, "99010119900101123X", "123x", True),
        (ChallengeForm.LAST_FOUR, "99010119900101123X", "１２３Ｘ", True),
        (ChallengeForm.LAST_FOUR, "99010119900101123X", "1230", False),
        (ChallengeForm.LAST_FOUR, "1234", "1234", False),
        (ChallengeForm.LAST_FOUR, "", "1234", False),
        (ChallengeForm.FULL, "买买提·艾合买提", "买买提•艾合买提", True),
        (ChallengeForm.FULL, "张三", "张", False),
        (ChallengeForm.FULL, "1990-01-02", "19900102", True),
        (ChallengeForm.FULL, "··", "··", False),
    ],
)
def test_answers_are_compared_as_people_say_them(form: ChallengeForm, value: str, answer: str, *, right: bool) -> None:
    assert matches(form, value, answer) is right
