"""What each mask may show at most, restated here by hand and not read from the product."""

import random
import string
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.kernels.masking import MaskTypeError, SpanError, mask, mask_free_text, mask_value

# Characters of the value that may be seen, for values of any shape.
MOST_SHOWN = {
    "person_name": 1,
    "resident_id": 2,
    "passport": 4,
    "other_certificate": 4,
    "mobile": 7,
    "landline": 8,
    "bank_card": 4,
    "account_number": 4,
    "uscc": 8,
    "plate": 4,
    "birth_date": 4,
    "mac": 6,
    "imei": 6,
    "card_expiry": 0,
}
SHOWS_PARTS = {"email", "address", "ip"}  # each has a test of its own
NEVER_SHOWN = [element for element in Element if element not in MOST_SHOWN and element not in SHOWS_PARTS]
LETTERS = string.ascii_letters + string.digits + "张三渝省市区县号 -+.:@/年月日·"

texts = st.one_of(
    st.text(max_size=40),
    st.text(LETTERS, max_size=30),
    st.text(string.digits, min_size=1, max_size=20),
    st.from_regex(r"\A(\+86 ?)?1[0-9]{10}\Z"),
    st.from_regex(r"\A[0-9]{17}[0-9X]\Z"),
    st.from_regex(r"\A0[0-9]{2,3}-[0-9]{7,8}\Z"),
    st.from_regex(r"\A[A-Z][0-9]{5,9}\Z"),
    st.from_regex(r"\A(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]\Z"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    element: str
    start: int
    end: int


def shown(masked: str) -> str:
    return "".join(sign for sign in masked if sign.isalnum())


def test_every_element_is_covered_by_a_rule_of_this_file() -> None:
    assert set(Element) == set(MOST_SHOWN) | SHOWS_PARTS | set(NEVER_SHOWN)


@settings(max_examples=400)
@given(element=st.sampled_from(sorted(MOST_SHOWN)), text=texts)
@example(element="account_number", text="9")
@example(element="mobile", text="  9  ")
@example(element="landline", text="19990000001")
def test_a_mask_never_shows_more_than_its_rule_allows(element: str, text: str) -> None:
    assert len(shown(mask_value(element, text))) <= MOST_SHOWN[element]


@given(element=st.sampled_from(NEVER_SHOWN), text=texts)
def test_an_element_without_a_rule_is_not_shown_nor_is_its_length(element: str, text: str) -> None:
    assert mask_value(element, text) == "******"


@given(text=texts, name=st.text(LETTERS, max_size=12))
def test_an_unknown_element_is_not_shown(text: str, name: str) -> None:
    assert mask_value(f"unknown {name}", text) == "******"


@settings(max_examples=200)
@given(
    element=st.sampled_from(list(Element)),
    text=st.one_of(st.text(string.ascii_letters + string.digits, min_size=1, max_size=6), st.text(max_size=6)),
)
def test_a_short_value_is_never_shown_whole(element: str, text: str) -> None:
    masked = mask_value(element, text)
    assert "*" in masked
    assert masked != text or not shown(text)


@given(
    element=st.sampled_from(["mobile", "resident_id", "bank_card", "imei", "uscc", "account_number"]),
    text=st.text(string.digits, min_size=1, max_size=24),
)
def test_what_is_shown_stands_in_the_value_in_this_order(element: str, text: str) -> None:
    remaining = iter(text)
    assert all(sign in remaining for sign in shown(mask_value(element, text)))


@given(local=st.text(string.ascii_letters, min_size=1, max_size=64), domain=st.sampled_from(["example.com", "b.cn"]))
def test_of_an_address_at_a_mail_server_at_most_three_letters_and_half_are_shown(local: str, domain: str) -> None:
    masked = mask_value("email", f"{local}@{domain}")
    kept, _, rest = masked.partition("***@")
    assert rest == domain
    assert local.startswith(kept)
    assert len(kept) <= min(3, len(local) // 2)


@given(
    regions=st.lists(st.sampled_from(["云崖省", "瞿塘市", "白盐区", "重庆市", "奉节县"]), max_size=3),
    rest=st.text("张三李栈道路幸福小区市省县栋单元号0123456789", max_size=20),
)
def test_of_a_postal_address_only_names_of_regions_are_shown(regions: list[str], rest: str) -> None:
    masked = mask_value("address", "".join(regions) + rest)
    kept = masked.removesuffix("******")
    assert masked.endswith("******")
    names = FICTITIOUS.regions | {name.removesuffix("省").removesuffix("市") for name in FICTITIOUS.regions}
    assert splits_into(kept, names)
    assert kept != "".join(regions) + rest or not kept


def splits_into(text: str, names: frozenset[str] | set[str]) -> bool:
    starts = (end for end in range(1, len(text) + 1) if text[:end] in names)
    return not text or any(splits_into(text[end:], names) for end in starts)


def test_a_name_before_a_town_is_not_taken_for_a_region() -> None:
    assert mask_value("address", "张三家重庆市奉节县诗城路1号") == "******"


@pytest.mark.parametrize(
    ("element", "text", "masked"),
    [
        ("person_name", "张小三", "**三"),
        ("person_name", "三", "*"),
        ("resident_id", "99010119900101001x", "9****************X"),
        ("resident_id", "990101900101001", "9*************1"),
        ("resident_id", "9901011990010100", "******"),
        ("passport", "E12345678", "E1*****78"),
        ("other_certificate", "H123456", "H*****6"),
        ("mobile", "＋86 １９９-9000-1234", "199****1234"),
        ("mobile", "51234567", "51****67"),
        ("mobile", "1999000123", "******"),
        ("landline", "023-51234567", "023-****4567"),
        ("landline", "0755-5123456", "0755-****56"),
        ("bank_card", "6299 9900 0022 9629 633", "**** 9633"),
        ("account_number", "50011234", "**** 1234"),
        ("account_number", "5001123", "******"),
        ("email", "li@example.com", "l***@example.com"),
        ("email", "l@example.com", "***@example.com"),
        ("address", "云崖省瞿塘市白盐区草堂路16号", "云崖省瞿塘市白盐区******"),
        ("address", "云崖省瞿塘市", "云崖省******"),
        ("address", "草堂路16号", "******"),
        ("plate", "夔A12348", "夔A1***8"),
        ("plate", "夔AD12348", "夔AD****8"),
        ("birth_date", "1990-01-02", "1990-**-**"),
        ("birth_date", "19900102", "1990-**-**"),
        ("birth_date", "1990年1月2日", "1990-**-**"),
        ("ip", "198.51.100.73", "198.51.100.*"),
        ("ip", "2001:db8::1", "2001:0db8:0000:*"),
        ("mac", "02-4B-4D-AA-D8-61", "02:4B:4D:**:**:**"),
        ("imei", "004402000000038", "004402*********"),
        ("card_expiry", "04/32", "**/**"),
        ("cvn2", "224", "******"),
        ("password", "x", "******"),
        ("sex", "男", "******"),
        ("income", "26500", "******"),
    ],
)
def test_the_usual_shapes_have_the_usual_masks(element: str, text: str, masked: str) -> None:
    assert mask_value(element, text) == masked
    assert mask(pa.array([text, None]), Element(element)).to_pylist() == [masked, None]


@given(
    element=st.sampled_from(list(Element)),
    values=st.lists(st.none() | texts.filter(lambda text: text.isprintable()), max_size=12),
)
def test_a_column_is_masked_like_its_values(element: Element, values: list[str | None]) -> None:
    expected = [None if value is None else mask_value(element, value) for value in values]
    for kind in (pa.string(), pa.large_string()):
        column = pa.array(values, type=kind)
        masked = mask(column, element)
        assert masked.type == kind
        assert masked.to_pylist() == expected
        assert mask(column.slice(1), element).to_pylist() == expected[1:]


@pytest.mark.parametrize("element", ["mobile", "resident_id", "bank_card"])
@pytest.mark.parametrize("spoiled", [None, "", "x", "1999000000a", "29990000001", "1" * 18 + "9"])
def test_rows_of_one_shape_are_masked_in_bulk_like_one_by_one(element: str, spoiled: str | None) -> None:
    people = [make_identity(random.Random(7), index) for index in range(200)]
    values = [getattr(person, element) for person in people]
    expected = [mask_value(element, value) for value in values]
    assert mask(pa.array(values), element).to_pylist() == expected
    mixed = [*values[:90], spoiled, *values[90:], None]
    wanted = [None if value is None else mask_value(element, value) for value in mixed]
    assert mask(pa.array(mixed), element).to_pylist() == wanted
    assert mask(pa.chunked_array([values, [None]]), element).to_pylist() == [*expected, None]
    assert mask(pa.array(values).dictionary_encode(), element).to_pylist() == expected


def test_numbers_are_masked_as_they_print_and_other_types_whole() -> None:
    assert mask(pa.array([19990001234, None]), "mobile").to_pylist() == ["199****1234", None]
    assert mask(pa.array([1.5, None]), "mobile").to_pylist() == ["******", None]
    assert mask(pa.array([b"19990001234", None]), "mobile").to_pylist() == ["******", None]
    assert mask(pa.array([["x"], None]), "mobile").to_pylist() == ["******", None]
    with pytest.raises(MaskTypeError):
        mask(["19990001234"], "mobile")


@given(st.data())
def test_no_character_of_a_finding_is_left_where_its_mask_has_a_star(data: st.DataObject) -> None:
    text = data.draw(st.text("ab测试", min_size=1, max_size=40))
    count = data.draw(st.integers(0, 5))
    spans = []
    for _ in range(count):
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        spans.append(Found(element=data.draw(st.sampled_from(list(Element))), start=start, end=end))
    covered = {place for span in spans for place in range(span.start, span.end)}
    outside = Counter(text[place] for place in range(len(text)) if place not in covered)
    most = outside + Counter({sign: sum(MOST_SHOWN.values()) for sign in text} if spans else {})
    masked = Counter(shown(mask_free_text(text, spans)))
    assert all(masked[sign] <= most[sign] for sign in masked)
    assert covered or mask_free_text(text, spans) == text


def test_findings_are_masked_in_place_and_overlaps_whole() -> None:
    note = "客户张小三电话19990001234，次日再联系"
    found = [Found(element="mobile", start=7, end=18), Found(element="person_name", start=2, end=5)]
    assert mask_free_text(note, found) == "客户**三电话199****1234，次日再联系"
    overlapping = [*found, Found(element="bank_card", start=4, end=9)]
    assert mask_free_text(note, overlapping) == "客户******，次日再联系"
    assert mask_free_text(note, []) == note
    for start, end in ((-1, 2), (3, 3), (0, len(note) + 1)):
        with pytest.raises(SpanError):
            mask_free_text(note, [Found(element="mobile", start=start, end=end)])
