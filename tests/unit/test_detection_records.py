"""Records inside text columns are opened key by key; sets of elements in one table weigh more; contradictions show."""

import json

import pytest

from kuimen.kernels.detection import ColumnFinding, ColumnSample, classify_columns
from kuimen.kernels.detection.records import open_records
from kuimen.kernels.elements import fictitious
from kuimen.kernels.elements.overlay import FICTITIOUS

MOBILES = [fictitious.make_mobile(index) for index in range(60)]


def one(name: str = "f", **facts: object) -> ColumnFinding:
    return classify_columns([ColumnSample(name=name, **facts)], FICTITIOUS)[0]  # type: ignore[arg-type] # facts are fields


def paths(finding: ColumnFinding) -> dict[str, str]:
    return {inner.path: str(inner.element) for inner in finding.inside}


def test_nested_records_are_named_by_their_path() -> None:
    cells = [
        json.dumps({"apply": {"loginPwd": "Abc12345", "amt": 5}, "contacts": [{"phone": number, "rel": "朋友"}]})
        for number in MOBILES
    ]
    finding = one("ext", type="json", values=cells)
    assert finding.element == "free_text"
    found = paths(finding)
    assert found["contacts[].phone"] == "mobile"
    assert found["apply.loginPwd"] == "password"
    assert (finding.category, finding.level) == ("C3", 4), "the gravest below decides"


@pytest.mark.parametrize("form", ["mobile={0}&state=1", "mobile: {0}; state: 1", "mobile={0}|state=1"])
def test_pairs_in_text_are_opened(form: str) -> None:
    finding = one("params", values=[form.format(number) for number in MOBILES])
    assert paths(finding) == {"mobile": "mobile"}


def test_keys_that_could_be_values_are_not_named() -> None:
    opened = open_records([json.dumps({number: "x", "ok_key": number}) for number in MOBILES])
    assert set(opened) == {"ok_key"}
    printed = " ".join(map(str, one("j", values=[json.dumps({"tel": number}) for number in MOBILES]).evidence))
    assert not any(number in printed for number in MOBILES)


def test_sentences_and_broken_records_are_no_records() -> None:
    assert open_records(["客户说：明天还款，电话打不通"] * 20) == {}
    assert open_records(['{"a": 1', "[1, 2", "{]"] * 10) == {}
    assert open_records(["[" * 50_000 + "]" * 50_000]) == {}


def test_a_code_beside_the_account_it_opens_is_graver_than_alone() -> None:
    beside = classify_columns([ColumnSample(table="sms", name=name) for name in ("mobile", "verify_code")])
    assert (beside[1].element, beside[1].category, beside[1].level) == ("sms_code", "C3", 4)
    alone = classify_columns([ColumnSample(table="sms", name=name) for name in ("verify_code", "send_time")])
    assert (alone[0].category, alone[0].level) == ("C2", 3)


def test_members_of_a_set_say_so_and_keep_their_class() -> None:
    names = ("real_name", "id_card_no", "mobile", "bank_card_no", "create_time")
    found = classify_columns([ColumnSample(table="t_bind", name=name, type="varchar(64)") for name in names])
    told = ["four_elements" in " ".join(map(str, finding.evidence)) for finding in found]
    assert told == [True, True, True, True, False]
    assert {finding.level for finding in found[:4]} == {3}


def test_name_and_values_that_contradict_each_other_go_to_review() -> None:
    assert one("id_card", values=MOBILES).review
    assert one("email", values=[f"{700000 + at}" for at in range(60)]).review
    assert not one("mobile", values=MOBILES).review
    assert not one("remark", values=["资料齐全"] * 60).review
