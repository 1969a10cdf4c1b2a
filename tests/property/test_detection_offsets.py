"""Offsets are exact and time stays linear, whatever the text is made of."""

from random import Random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.kernels.detection import detect
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS

PERSON = make_identity(Random(9), 77)
DATA = {
    "resident_id": PERSON.resident_id,
    "mobile": PERSON.mobile,
    "bank_card": PERSON.bank_card,
    "email": PERSON.email,
}
NOISE = st.text(alphabet="的了，。、！客户在 \n\t😀𠮷·（）《》%&Ａ①²ﬁ㈱é\u200b\u00ad", max_size=12)


def _widen(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in text)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(DATA)), NOISE, NOISE, st.booleans())
def test_a_datum_between_any_signs_is_cut_out_exactly(element: str, before: str, behind: str, wide: bool) -> None:  # noqa: FBT001
    datum = _widen(DATA[element]) if wide and element != "email" else DATA[element]
    if element == "email":
        before, behind = before + "，", "，" + behind
    text = f"{before}。{datum}。{behind}"
    cut = [text[one.start : one.end] for one in detect(text, tables=FICTITIOUS) if one.element == element]
    assert cut == [datum]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_ordered_spans_inside_it(text: str) -> None:
    position = 0
    for finding in detect(text):
        assert position <= finding.start < finding.end <= len(text)
        position = finding.end


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_folding_keeps_the_way_back(text: str) -> None:
    folded = fold(text)
    for position in range(len(folded.text)):
        start, end = folded.span(position, position + 1)
        assert 0 <= start < end <= len(text)


@settings(max_examples=40, deadline=None)
@given(NOISE)
def test_redacted_text_holds_nothing_to_redact(noise: str) -> None:
    text = f"{noise}，手机{PERSON.mobile}，证件{PERSON.resident_id}。{noise}"
    clean = text
    for finding in reversed(detect(text, tables=FICTITIOUS)):
        clean = clean[: finding.start] + "<>" + clean[finding.end :]
    assert PERSON.mobile not in clean
    assert PERSON.resident_id not in clean


@pytest.mark.parametrize(
    "unit",
    ["1", "1234 ", "a@", "@", "重庆市", "路1号", "姓名", "姓名:", "mobile=", "a_", "1:", "密码", "有限公司", "(", "eyJ",
     "阿·", "验证码", "13812345678、", "0123-", "\x00", "１", "1\u200b", "-----BEGIN ",
     "4111111111111111D", "+85291234567 ", "138-1234-5678 ", "4111111111111111 "],
)  # fmt: skip
def test_no_pattern_explodes(unit: str) -> None:
    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        began = process_time()
        detect(text)
        return process_time() - began

    # ten times the text: ten times the work where it grows in step, a hundred where it squares, far more on explosion
    cost(2_000)
    small = max(min(cost(4_000) for _ in range(3)), 0.01)
    assert any(cost(40_000) < 50 * small for _ in range(3))
