"""Columns of schemas never seen: named by name, comment, type or values, each of which can decide alone."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from column_corpus import Column, columns

from kuimen import classify_columns as classify_plain
from kuimen.kernels.detection import ColumnFinding, ColumnSample, Likelihood, classify_columns, likelihood_of
from kuimen.kernels.elements import fictitious
from kuimen.kernels.elements.overlay import FICTITIOUS

CORPUS = columns(20_261_122, 200, dirt=0.15)


def judge(made: list[Column], *, comment: bool, values: bool) -> list[ColumnFinding]:
    samples = [
        ColumnSample(
            table=column.table,
            name=column.name,
            comment=column.comment if comment else "",
            type=column.type,
            values=column.values if values else None,
        )
        for column in made
    ]
    return classify_columns(samples, FICTITIOUS)


def macro_f1(made: list[Column], findings: list[ColumnFinding]) -> float:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for column, finding in zip(made, findings, strict=True):
        got = str(finding.element) if finding.element else None
        if got == column.element:
            right.update([got] if got else [])
            continue
        wrong.update([got] if got else [])
        missed.update([column.element] if column.element else [])
    elements = {*right, *wrong, *missed}
    return sum(2 * right[e] / (2 * right[e] + wrong[e] + missed[e]) for e in elements) / len(elements)


@pytest.mark.clause("CQJR-6.2-b")
@pytest.mark.parametrize(
    ("comment", "values", "floor"), [(False, False, 0.90), (True, False, 0.94), (False, True, 0.97), (True, True, 0.98)]
)
def test_columns_reach_the_floors(
    comment: bool,  # noqa: FBT001
    values: bool,  # noqa: FBT001
    floor: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(CORPUS) >= 150
    reached = macro_f1(CORPUS, judge(CORPUS, comment=comment, values=values))
    with capsys.disabled():
        sys.stdout.write(f"\ncolumns comment={comment} values={values} macro-F1 {reached:.3f}")
    assert reached >= floor


def test_no_authentication_secret_is_missed_by_name_alone() -> None:
    grave = {"password", "payment_password", "cvn2", "card_expiry", "track_data", "biometric", "secret_key"}
    for column, finding in zip(CORPUS, judge(CORPUS, comment=False, values=False), strict=True):
        if column.element in grave:
            assert finding.element == column.element, column.name


def one(name: str = "f", **facts: object) -> ColumnFinding:
    return classify_columns([ColumnSample(name=name, **facts)], FICTITIOUS)[0]  # type: ignore[arg-type] # facts are fields


MOBILES = [fictitious.make_mobile(index) for index in range(200)]


@pytest.mark.parametrize("name", ["phone_status", "mobile_verified", "email_bind_time", "card_type", "login_count",
                                  "overdue_flag", "state", "id_type", "手机号状态", "zjlx"])  # fmt: skip
def test_names_about_a_datum_are_not_the_datum(name: str) -> None:
    assert one(name).element is None


def test_values_decide_over_a_misleading_name() -> None:
    finding = one("remark2", values=MOBILES)
    assert finding.element == "mobile"
    assert finding.likelihood is Likelihood.LIKELY or finding.likelihood is Likelihood.VERY_LIKELY


def test_a_name_without_its_values_is_contradicted() -> None:
    assert one("phone", values=["0", "1", "1"] * 60).element is None
    assert (
        one("id_card", values=[f"{number:08d}" for number in range(200)]).likelihood.rank
        < one("id_card").likelihood.rank
    )


def test_numeric_and_date_values_are_read_as_text() -> None:
    assert one(type="bigint", values=[int(number) for number in MOBILES]).element == "mobile"
    assert one(type="double precision", values=[float(number) for number in MOBILES]).element == "mobile"
    cards = [int(fictitious.make_bank_card(index)) for index in range(200)]
    assert one(type="numeric(19,0)", values=cards).element == "bank_card"


def test_one_lucky_hit_labels_nothing() -> None:
    serials = [f"{10**17 + 12_345_678_901 * number}" for number in range(199)]
    lucky = fictitious.make_identity(__import__("random").Random(1), 5).resident_id
    assert one("order_no", values=[*serials, lucky]).element is None


@pytest.mark.parametrize("share", [0.0, 0.02, 0.045])
def test_nothing_is_labelled_below_one_cell_in_twenty(share: float) -> None:
    count = int(200 * share)
    assert one(values=MOBILES[:count] + ["资料齐全"] * (200 - count)).element is None


def test_card_like_serials_are_not_cards() -> None:
    serials = [f"62{10**16 + 987_654_321 * number}" for number in range(200)]
    assert one("f7", values=serials).element is None


def test_masked_values_are_recognised_as_masked() -> None:
    finding = one("mobile", values=[number[:3] + "****" + number[-4:] for number in MOBILES])
    assert (finding.element, finding.category, finding.level, finding.masked) == ("mobile", "C1", 2, True)


def test_free_text_and_json_are_opened() -> None:
    notes = one("bz", values=[f"客户来电，号码{number}，下周还款" for number in MOBILES])
    assert notes.element == "free_text"
    assert "mobile" in notes.secondary
    record = one("ext", type="json", values=[{"name": "张三", "phone": number} for number in MOBILES])
    assert record.element == "free_text"
    assert "mobile" in record.secondary


def test_addresses_of_a_few_offices_are_no_personal_addresses() -> None:
    assert one("office", values=["重庆市渝中区民权路1号", "成都市武侯区人民南路2号"] * 100).element is None


def test_types_that_cannot_hold_the_datum_refuse_it() -> None:
    assert one("mobile", type="tinyint(1)").element is None
    assert one("birthday", type="date").element == "birth_date"
    assert one("address", type="timestamp").element is None


def test_company_of_other_columns_makes_a_doubtful_name_believable() -> None:
    alone = one("xm")
    beside = classify_columns([ColumnSample(table="t", name=name) for name in ("xm", "sfzh", "sjhm")], FICTITIOUS)
    assert alone.element is None
    assert [finding.element for finding in beside] == ["person_name", "resident_id", "mobile"]


def test_likelihood_follows_from_the_evidence_and_evidence_holds_no_value() -> None:
    for column, finding in zip(CORPUS, judge(CORPUS, comment=True, values=True), strict=True):
        if finding.element is not None and finding.element != "free_text":
            assert finding.likelihood is likelihood_of(finding.evidence)
        printed = " ".join(piece.printed() for piece in finding.evidence)
        assert not any(len(str(value)) > 7 and str(value) in printed for value in column.values)


def test_plain_mappings_are_welcome() -> None:
    found = classify_plain([{"name": "sjhm"}, {"name": "f", "values": MOBILES}], overlay="fictitious")
    assert [finding.element for finding in found] == ["mobile", "mobile"]
    assert classify_plain([{"name": "f", "values": MOBILES}])[0].element is None


def test_readings_are_up_to_date_with_the_terms() -> None:
    tool = Path(__file__).parents[2] / "tools/generate_pinyin_terms.py"
    assert subprocess.run([sys.executable, tool, "--check"], check=False).returncode == 0
