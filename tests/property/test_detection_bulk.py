"""A block of bytes gives the findings of the text it holds, with and without the native kernels."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.kernels.detection import bulk, detect, scan_bytes
from kuimen.kernels.detection.evidence import Likelihood
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS

PERSON = make_identity(Random(8), 3)
PARTS = (
    "手机", "卡号：", "身份证", "，", "。", "：", "…", "①", "２", "㈱", "é", "\u200b", "‘", "“", "\n", "😀", "𠮷",
    "½", "ﷺ", "订单号", "金额", "元", " ", "、", "idNo=", "0086-", "138-1234-5678", "E12345678", PERSON.mobile,
    PERSON.bank_card, PERSON.resident_id, PERSON.email, PERSON.employer_uscc, "4111111111111111", "1.2.3.4",
    "４１１１１１１１１１１１１１１１",
)  # fmt: skip


def told(scan: bulk.Scan) -> list[tuple[str, int, int, str, list[str]]]:
    return [
        (one["element"], one["start"], one["end"], one["likelihood"], list(map(str, scan.evidence(number))))
        for number, one in enumerate(scan.as_dicts())
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=20), st.binary(max_size=6))
def test_blocks_are_scanned_alike_with_and_without_the_native_kernels(parts: list[str], junk: bytes) -> None:
    block = "".join(parts).encode() + junk + b"\n" + "".join(reversed(parts)).encode()
    if b"\xed" in junk:
        return
    native = scan_bytes(block, tables=FICTITIOUS)
    assert told(native) == told(bulk._in_python(block, Likelihood.POSSIBLE, FICTITIOUS))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=16))
def test_places_in_bytes_are_the_places_in_characters(parts: list[str]) -> None:
    text = "".join(parts)
    raw = text.encode()
    found = {
        (one["element"], raw[: one["start"]].decode(), raw[one["start"] : one["end"]].decode())
        for one in scan_bytes(raw, tables=FICTITIOUS).as_dicts()
    }
    wanted = {str(element) for element in bulk.STRUCTURED}
    alone = detect(text, elements=wanted, tables=FICTITIOUS)
    assert found == {
        (str(one.element), text[: one.start], text[one.start : one.end])
        for one in alone
        if str(one.element) in {element for element, *_ in found}
    }


def test_counts_and_evidence_hold_no_value() -> None:
    block = f"手机{PERSON.mobile}，{PERSON.email}".encode()
    scan = scan_bytes(block, tables=FICTITIOUS)
    assert scan.counts() == {"mobile": 1, "email": 1}
    assert len(scan) == 2
    assert [str(scan.element(0)), str(scan.element(1))] == ["mobile", "email"]
    assert PERSON.mobile not in "".join(map(str, scan.evidence(0)))
