"""A stream is redacted alike however it is cut, and no line leaves before it has ended."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.kernels.detection import streaming
from kuimen.kernels.detection.streaming import RedactionStyleError, StreamRedactor
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS

PERSON = make_identity(Random(4), 21)
LINES = (
    f"手机{PERSON.mobile}，卡{PERSON.bank_card}\n",
    f"身份证{PERSON.resident_id}已核验\r\n",
    "abc 😀 𠮷\n",
    "\n",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nxyz\n-----END RSA PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n",
    f"{PERSON.email};idNo={PERSON.resident_id}\n",
    f"尾{PERSON.mobile}，",
)


def cut_up(whole: bytes, cuts: list[int], **options: object) -> tuple[bytes, StreamRedactor]:
    redactor = StreamRedactor(tables=FICTITIOUS, **options)  # type: ignore[arg-type]
    out, position = b"", 0
    for width in cuts:
        out += redactor.feed(whole[position : position + width])
        position += width
    return out + redactor.feed(whole[position:]) + redactor.close(), redactor


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from(LINES), max_size=10),
    st.lists(st.integers(1, 40), max_size=30),
    st.sampled_from(["utf-8", "gb18030"]),
    st.sampled_from(["label", "mask"]),
)
def test_the_result_does_not_depend_on_the_cuts(lines: list[str], cuts: list[int], encoding: str, style: str) -> None:
    whole = "".join(lines).encode(encoding)
    at_once, one = cut_up(whole, [], encoding=encoding, style=style)
    in_parts, other = cut_up(whole, cuts, encoding=encoding, style=style)
    assert in_parts == at_once
    assert (one.counts, one.lines) == (other.counts, other.lines)
    for datum in (PERSON.mobile, PERSON.resident_id, PERSON.bank_card, "MIIabc"):
        assert datum.encode() not in at_once


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=20), st.integers(0, 300))
def test_a_long_line_is_cut_beside_its_data(cuts: list[int], shift: int) -> None:
    before = streaming.PIECE, streaming._MARGIN
    streaming.PIECE, streaming._MARGIN = 2048, 128
    try:
        whole = ("填" * shift + f"，mobile={PERSON.mobile}, card={PERSON.bank_card}，{'x' * 37}" * 80).encode()
        at_once, one = cut_up(whole, [])
        in_parts, _ = cut_up(whole, cuts)
    finally:
        streaming.PIECE, streaming._MARGIN = before
    assert in_parts == at_once
    assert one.counts == {"mobile": 80, "bank_card": 80}
    assert PERSON.mobile.encode() not in at_once


def test_bytes_that_are_no_text_pass_unchanged() -> None:
    junk = bytes(range(256)) * 3
    assert cut_up(junk, [5, 7, 300])[0] == junk


def test_nothing_of_an_open_line_leaves() -> None:
    redactor = StreamRedactor(tables=FICTITIOUS)
    assert redactor.feed(f"a\n手机{PERSON.mobile[:6]}".encode()) == b"a\n"
    assert redactor.feed(f"{PERSON.mobile[6:]}\n".encode()) == "手机<mobile>\n".encode()


def test_findings_are_told_by_line_and_element() -> None:
    heard: list[tuple[int, str]] = []
    cut_up("".join(LINES[:5]).encode(), [3, 50, 80], on_finding=lambda one: heard.append((one.line, str(one.element))))
    assert heard == [(1, "mobile"), (1, "bank_card"), (2, "resident_id"), (5, "secret_key")]


def test_an_unknown_style_is_refused_before_anything_passes() -> None:
    with pytest.raises(RedactionStyleError):
        StreamRedactor(style="blur")
