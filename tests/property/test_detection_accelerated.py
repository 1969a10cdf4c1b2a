"""The kernels in C find what the patterns in Python find, evidence and all."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.kernels.detection import labelled
from kuimen.kernels.detection.accelerated import ACCELERATES, recognise_structured
from kuimen.kernels.detection.evidence import Candidate
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.identifiers import recognise_mail_and_network
from kuimen.kernels.detection.names import gate
from kuimen.kernels.detection.names.common_words import COMMON_WORDS, FOREIGN_SOUNDS
from kuimen.kernels.detection.numbers import recognise_numbers
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS, PRODUCTION, RecognitionTables
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, SINGLE_SURNAMES

pytestmark = pytest.mark.skipif(not ACCELERATES, reason="the native kernels are not built")

PERSON = make_identity(Random(5), 41)
DATA = (
    PERSON.resident_id, PERSON.resident_id.lower(), PERSON.mobile, PERSON.bank_card, PERSON.email, PERSON.employer_uscc,
    PERSON.imei, "91330100799655058B", "110105491231002", "11010519491231002X", "4111111111111111", "371449635398431",
    "E12345678", "H12345678", "4111111111111111=2512101123456789", "02361234567", "10.2.3.4", "127.0.0.1", "0.25",
    "20240101121314", "13812345678", "8613812345678", "008613812345678", "12345678901234567",
    "19990000001@example.com", "810000199001011238", "911156200001016544", "00000000000000000000000",
)  # fmt: skip
WORDS = (
    "手机", "mobile", "卡", "银行卡号", "idNo", "ver", "版本", "金额", "0086-", "+86", "(+86) ", "订单号", "://",
    ".com", "@qq.com", "852", "+852", "+85291234567", "138-1234-5678", "6222 0212 3456 7890 128", "(023)61234567",
    "1.2.", "IP:", "邮箱", "amount", "¥", "人民币", "元人", "次日", "账号", '"card":"', "客户编号", "公司", "\n",
    "\t", " ", "，", "。", "是", "为", "、", "/", "和", ":", "=", '"', "“", "(", "[", "-", ".", "_", "+", "@", "元",
    "次", "个", "件", "v", "V", "x", "X", "😀", "𠮷", "é", "\ud83d",
)  # fmt: skip


def in_python(text: str, tables: RecognitionTables) -> list[Candidate]:
    return [*recognise_numbers(text, tables), *recognise_mail_and_network(text)]


def told(candidates: list[Candidate], least: int) -> list[tuple[int, int, str, tuple[str, ...]]]:
    return sorted(
        (one.start, one.end, str(one.element), tuple(map(str, one.evidence)))
        for one in candidates
        if one.points >= least
    )


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(DATA + WORDS) | st.text(alphabet="0123456789Xx@.- 手机", max_size=20), max_size=14),
    st.sampled_from([PRODUCTION, FICTITIOUS]),
    st.sampled_from([2, 3, 5]),
)
def test_the_scanner_in_c_finds_what_the_patterns_find(parts: list[str], tables: RecognitionTables, least: int) -> None:
    text = fold("".join(parts)).text
    fast = list(recognise_structured(text, tables, least=least))
    assert told(fast, least) == told(in_python(text, tables), least)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_scanned_alike(text: str) -> None:
    folded = fold(text).text
    assert told(list(recognise_structured(folded, PRODUCTION, least=2)), 2) == told(in_python(folded, PRODUCTION), 2)


def test_every_number_of_evidence_has_its_piece() -> None:
    text = "\n".join(f"{word}{datum}" for word in WORDS for datum in DATA)
    for one in recognise_structured(fold(text).text, PRODUCTION, least=-100):
        assert all(piece.rule for piece in one.evidence)


KEYED = (
    "password", "mobile", "a.b.custName", "x-api-key", "k", "-abc", "name", "deviceId", "userName", "=", ":", "=>", " ",
    "\t", "\n", '"', "'", "\\", "[", "张三", "手机", "hunter22", "-", "_", ".", "😀", "x", "1", "{", ",", "idNo", "cvv",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(KEYED), max_size=24))
def test_keys_are_found_alike_with_and_without_the_native_kernels(parts: list[str]) -> None:
    text = "".join(parts)
    fast = list(labelled._ascii_keys(text))
    known, labelled._KEYS = labelled._KEYS, None
    try:
        assert fast == list(labelled._ascii_keys(text))
    finally:
        labelled._KEYS = known


TERMS = (
    *sorted(labelled._HAN_TERMS)[::9],
    "：",
    "男",
    "元",
    "12000",
    "CVV",
    "码",
    "是",
    "，",
    "\n",
    "还",
    "密码",
    "密",
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(TERMS), max_size=20))
def test_labels_are_found_alike_with_and_without_the_native_kernels(parts: list[str]) -> None:
    text = "".join(parts)
    assert labelled._HAN_LITERALS is not None
    fast = [match.span() for match in labelled._HAN_LITERALS.matches(text, labelled._HAN_LABEL)]
    assert fast == [match.span() for match in labelled._HAN_LABEL.finditer(text)]


LETTERS = (
    "".join(sorted(SINGLE_SURNAMES | FOREIGN_SOUNDS))
    + "".join((*COMPOUND_SURNAMES, *COMMON_WORDS))
    + "，。\na1：𠮷😀伟"
)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=LETTERS, max_size=40))
def test_places_of_names_are_found_alike_with_and_without_the_native_kernels(text: str) -> None:
    assert gate.possible_places(text) == gate.possible_places(text, gate.shipped_table())
