"""Every element of the list is made anew: valid in form, impossible in fact, nothing of the original left."""

import re
from collections.abc import Mapping

import pyarrow as pa
import pytest

from kuimen.kernels.elements import Element
from kuimen.kernels.elements.checks import luhn_holds, resident_id_checksum_holds, uscc_checksum_holds
from kuimen.kernels.elements.overlay import FICTITIOUS, PRODUCTION, DivisionRank
from kuimen.kernels.fabrication import (
    TREATMENT_OF,
    ColumnSpec,
    FabricationKeyError,
    FictitiousRangeError,
    FictitiousRanges,
    Kind,
    NoGeneratorError,
    RangeExhaustedError,
    TableSpec,
    Treatment,
    assign,
    fabricate,
    treatment_for,
)
from kuimen.kernels.fabrication import treatments as treatments_module

KEY = bytes(range(32))
FORMS: Mapping[Element, str] = {
    Element.RESIDENT_ID: r"99\d{15}[\dX]", Element.PASSPORT: r"EZ\d{7}", Element.OTHER_CERTIFICATE: r"CZ\d{7}",
    Element.MOBILE: r"199900\d{5}", Element.LANDLINE: r"0600-\d{8}", Element.EMAIL: r"t\d{9}@example\.com",
    Element.BANK_CARD: r"629999\d{13}", Element.ACCOUNT_NUMBER: r"99\d{14}", Element.USCC: r"91990\d{3}MA[0-9A-Z]{8}",
    Element.PLATE: r"夔[A-Z]\d{5}", Element.IMEI: r"004402\d{9}", Element.IP: r"198\.1[89]\.\d{1,3}\.\d{1,3}",
    Element.MAC: r"02:4b:4d(:[0-9a-f]{2}){3}", Element.QQ: r"99\d{9}", Element.CARD_EXPIRY: r"(0[1-9]|1[0-2])\d\d",
    Element.BIRTH_DATE: r"(19|20)\d\d-\d\d-\d\d", Element.SEX: r"[男女]", Element.PERSON_NAME: r"[一-鿿]{2,4}",
    Element.ADDRESS: r"云崖省.+室", Element.TRACK_DATA: r";629999\d{13}=\d{17}\?", Element.SMS_CODE: r"\d{6}",
    Element.CVN2: r"\d{3}", Element.INCOME: r"\d+\.\d\d", Element.WECHAT: r"wxid_kt\d{9}",
}  # fmt: skip
SAMPLES: Mapping[Element, str] = {
    Element.SEX: "男", Element.BIRTH_DATE: "1990-02-03", Element.CARD_EXPIRY: "0727", Element.SMS_CODE: "123456",
    Element.CVN2: "321", Element.LOCATION: "106.551600,29.563000",
}  # fmt: skip


def sample(element: Element, row: int) -> str:
    if TREATMENT_OF[element] is Treatment.FACT:
        return f"{1000 + 13 * row}.50"
    return SAMPLES.get(element, f"原值{element.value}{row:06d}")


@pytest.mark.parametrize("element", list(Element))
def test_every_element_has_a_generator_that_leaves_nothing_of_the_original(element: Element) -> None:
    values = [sample(element, row % 300) for row in range(600)] + [None, ""]
    spec = TableSpec(name="t", columns=(ColumnSpec(name="c", treatment=treatment_for(element), element=element),))
    made = fabricate({spec: {"c": pa.array(values, pa.string())}}, key=KEY)[0]["t"]["c"].to_pylist()
    assert len(made) == len(values)
    assert made[-2] is None
    if element not in SAMPLES:
        assert not set(values[:600]) & set(made)
    if element in FORMS:
        assert all(re.fullmatch(FORMS[element], one) for one in made[:600])


def test_made_numbers_are_right_in_form_and_refused_by_the_tables_of_the_world() -> None:
    originals = pa.array([f"X{row:05d}" for row in range(3000)])
    ranges = FictitiousRanges()
    ids = assign(originals, Element.RESIDENT_ID, key=KEY, ranges=ranges).values.to_pylist()
    assert all(resident_id_checksum_holds(one) for one in ids)
    assert {PRODUCTION.division_rank(one[:6]) for one in ids} == {DivisionRank.UNKNOWN}
    assert {FICTITIOUS.division_rank(one[:6]) for one in ids} == {DivisionRank.COUNTY}
    mobiles = assign(originals, Element.MOBILE, key=KEY, ranges=ranges).values.to_pylist()
    assert not any(PRODUCTION.is_mobile(one) for one in mobiles)
    assert all(FICTITIOUS.is_mobile(one) for one in mobiles)
    for longest in (16, 19):
        cards = assign(originals, Element.BANK_CARD, key=KEY, ranges=ranges, longest=longest).values.to_pylist()
        assert all(luhn_holds(one) and len(one) == longest for one in cards)
    assert all(
        uscc_checksum_holds(one) for one in assign(originals, Element.USCC, key=KEY, ranges=ranges).values.to_pylist()
    )
    assert all(luhn_holds(one) for one in assign(originals, Element.IMEI, key=KEY, ranges=ranges).values.to_pylist())
    for made in (ids, mobiles):
        assert len(set(made)) == 3000


def test_an_original_inside_the_fictitious_range_is_never_given_out_again() -> None:
    originals = pa.array([f"1999000{number:04d}" for number in range(10_000)])
    made = assign(originals, Element.MOBILE, key=KEY, ranges=FictitiousRanges()).values.to_pylist()
    assert not set(made) & set(originals.to_pylist())
    assert len(set(made)) == 10_000


def test_more_mobiles_than_the_range_holds_are_refused_until_a_wider_one_is_configured() -> None:
    originals = pa.array([f"13{number:09d}" for number in range(100_001)])
    with pytest.raises(RangeExhaustedError, match="100,001 different values"):
        assign(originals, Element.MOBILE, key=KEY, ranges=FictitiousRanges())
    wider = FictitiousRanges(mobiles=("1999000", "154"))
    assert len(set(assign(originals, Element.MOBILE, key=KEY, ranges=wider).values.to_pylist())) == 100_001


@pytest.mark.parametrize("prefix", ["138", "1390000", "12", "x", "1999000123", "154a", "1199000"])
def test_a_range_in_which_somebody_could_have_a_number_is_refused(prefix: str) -> None:
    with pytest.raises(FictitiousRangeError):
        FictitiousRanges(mobiles=(prefix,))


@pytest.mark.parametrize("issuer", ["622202", "411111", "6299", "abcdef"])
def test_an_issuer_number_of_the_world_is_refused(issuer: str) -> None:
    with pytest.raises(FictitiousRangeError):
        FictitiousRanges(bank_cards=(issuer,))


def test_ranges_inside_each_other_are_refused() -> None:
    with pytest.raises(FictitiousRangeError):
        FictitiousRanges(mobiles=("1999000", "19990"))


def test_an_element_without_a_generator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treatments_module, "TREATMENT_OF", {})
    with pytest.raises(NoGeneratorError, match="mobile"):
        treatment_for(Element.MOBILE)
    with pytest.raises(NoGeneratorError):
        assign(pa.array(["男"]), Element.SEX, key=KEY, ranges=FictitiousRanges())


def test_a_short_key_is_refused() -> None:
    with pytest.raises(FabricationKeyError):
        assign(pa.array(["x"]), Element.MOBILE, key=b"short", ranges=FictitiousRanges())


def test_pictures_json_and_bytes_become_harmless_ones_of_their_type() -> None:
    columns = (
        ColumnSpec(name="face", treatment=Treatment.PICTURE, element=Element.PHOTO_IMAGE, kind=Kind.BYTES),
        ColumnSpec(name="extra", treatment=Treatment.SENTENCE, element=Element.FREE_TEXT, kind=Kind.JSON),
    )
    spec = TableSpec(name="t", columns=columns)
    made, _ = fabricate({spec: {"face": pa.array(["\\xffd8"]), "extra": pa.array(['{"name": "x"}'])}}, key=KEY)
    assert made["t"]["face"][0].as_py().startswith("\\x89504e47")
    assert made["t"]["extra"].to_pylist() == ["{}"]
