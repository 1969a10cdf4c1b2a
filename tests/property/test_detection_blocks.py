"""Texts that are read together have the findings they have alone, whatever stands beside them."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.kernels.detection import Finding, blocks, detect, detect_many
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS

PERSON, OTHER = (make_identity(Random(9), number) for number in (11, 12))
PARTS = (
    "客户", "联系人：", "姓名", "张三、", "李四、王五", "和", "说", "，", "。", "：", "\n", "\r\n", " ", "\x00",
    "\n\x00\n", "手机", "卡号：", "验证码", "482913", "cvv2=", "123", "name=", "司马明", "有效期08/29", "QQ",
    "性别：男", "男，汉族", "1980年出生", "①", "２", "\u200b", "😀", "𠮷", "CVV ", "password:", "hunter22", "key : ",
    "先生", "ZHANG San先生", "-----BEGIN PRIVATE KEY-----\nMIIa\n", "-----END PRIVATE KEY-----", "接通，", "称其在外地",
    "审批人", "渝A12345", "路1号", "重庆市渝中区人民路1号2栋", "重庆江风物流有限公司", "军字第12345678号",
    "阿卜杜拉·买买提", "4111111111111111", "00:1A:2B:3C:4D:5E", "106.5516, 29.5630", "{", "}", '"', "=", ":", "元", "-",
    "A123456(3)", "wxid_abc12345", "LTAI5tAbCdEfGhIjKlMnOpQr", PERSON.mobile, PERSON.bank_card, PERSON.resident_id,
    PERSON.email, PERSON.person_name, OTHER.person_name, PERSON.employer_uscc,
)  # fmt: skip
TEXT = st.lists(st.sampled_from(PARTS), max_size=9).map("".join)


def told(found: list[list[Finding]]) -> list[list[tuple[str, int, int, str]]]:
    """What was found where; the last digit of the tagger's odds depends on what it reads together."""
    return [[(str(one.element), one.start, one.end, str(one.category)) for one in each] for each in found]


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXT, max_size=7))
def test_texts_read_together_have_the_findings_they_have_alone(texts: list[str]) -> None:
    assert told(detect_many(texts, tables=FICTITIOUS)) == told([detect(text, tables=FICTITIOUS) for text in texts])


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXT, max_size=12), st.integers(1, 60))
def test_where_a_block_ends_changes_nothing(texts: list[str], size: int) -> None:
    whole = told(detect_many(texts, tables=FICTITIOUS))
    known = blocks._BLOCK_CHARACTERS
    blocks._BLOCK_CHARACTERS = size
    try:
        assert told(detect_many(texts, tables=FICTITIOUS)) == whole
    finally:
        blocks._BLOCK_CHARACTERS = known


@given(st.lists(st.sampled_from(("手机", "abc", "\n", blocks.BAR, "")), max_size=8))
def test_a_group_of_texts_leaves_none_out(texts: list[str]) -> None:
    assert [number for group in blocks.grouped(texts) for number in group] == list(range(len(texts)))
