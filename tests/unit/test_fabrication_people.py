"""The same person is the same made-up person everywhere in a package, and another one in the next."""

import random
from datetime import date

import pyarrow as pa
import pytest

from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication import ColumnSpec, ColumnValuesError, Kind, TableSpec, Treatment, fabricate
from kuimen.kernels.fabrication.people import People

KEY, OTHER = bytes(range(32)), bytes(32)
CUSTOMERS = TableSpec(
    name="customers",
    columns=(
        ColumnSpec(name="cust_no", treatment=Treatment.KEY, domain="cust", person_key=True),
        ColumnSpec(name="name", treatment=Treatment.NAME, element=Element.PERSON_NAME),
        ColumnSpec(name="id_no", treatment=Treatment.IDENTIFIER, element=Element.RESIDENT_ID, longest=18),
        ColumnSpec(name="born", treatment=Treatment.BIRTH, element=Element.BIRTH_DATE, kind=Kind.DATE),
        ColumnSpec(name="sex", treatment=Treatment.SEX, element=Element.SEX),
        ColumnSpec(name="mobile", treatment=Treatment.IDENTIFIER, element=Element.MOBILE),
        ColumnSpec(name="city", treatment=Treatment.FACT),
    ),
)
LOANS = TableSpec(
    name="loans",
    columns=(
        ColumnSpec(name="loan_no", treatment=Treatment.KEY, domain="loan", person_key=True),
        ColumnSpec(name="cust_no", treatment=Treatment.KEY, domain="cust", person_key=True),
        ColumnSpec(name="holder", treatment=Treatment.NAME, element=Element.PERSON_NAME),
        ColumnSpec(name="phone", treatment=Treatment.IDENTIFIER, element=Element.MOBILE),
        ColumnSpec(name="amount", treatment=Treatment.FACT, kind=Kind.NUMBER),
        ColumnSpec(name="half", treatment=Treatment.FACT, kind=Kind.NUMBER),
        ColumnSpec(name="issued", treatment=Treatment.FACT, kind=Kind.DATE),
        ColumnSpec(name="due", treatment=Treatment.FACT, kind=Kind.DATE),
    ),
)
Tables = dict[TableSpec, dict[str, pa.Array]]


def lender(people: int = 400) -> Tables:
    draw = random.Random(5)
    numbers = range(people)
    names = [draw.choice("王李张") + draw.choice("伟芳娜") + draw.choice("国华明") for _ in numbers]
    customers = {
        "cust_no": [f"C{one:06d}" for one in numbers],
        "name": names,
        "id_no": [f"11010119{70 + one % 30}0101{one:04d}" for one in numbers],
        "born": ["1980-01-01" for _ in numbers],
        "sex": ["M" if one % 2 else "F" for one in numbers],
        "mobile": [f"138{one:08d}" for one in numbers],
        "city": ["重庆" if one % 3 else "成都" for one in numbers[:-1]] + ["只此一家"],
    }
    owners = [draw.randrange(people) for _ in range(3 * people)]
    amounts = [draw.randrange(100_000, 5_000_000) * 2 for _ in owners]
    loans = {
        "loan_no": [f"LN{one:05d}" for one, _ in enumerate(owners)],
        "cust_no": [customers["cust_no"][one] for one in owners],
        "holder": [names[one] for one in owners],
        "phone": ["+86 " + customers["mobile"][one] for one in owners],
        "amount": [f"{cents / 100:.2f}" for cents in amounts],
        "half": [f"{cents / 200:.2f}" for cents in amounts],
        "issued": [f"2024-0{1 + one % 9}-11" for one in owners],
        "due": [f"2025-0{1 + one % 9}-11" for one in owners],
    }
    as_arrays = [{name: pa.array(values) for name, values in one.items()} for one in (customers, loans)]
    return {CUSTOMERS: as_arrays[0], LOANS: as_arrays[1]}


def made_of(tables: Tables, key: bytes = KEY) -> dict[str, dict[str, list[str]]]:
    made, _ = fabricate(tables, key=key)
    return {table: {name: column.to_pylist() for name, column in columns.items()} for table, columns in made.items()}


def test_a_person_keeps_name_number_day_of_birth_and_sex_together_in_every_table() -> None:
    made = made_of(lender())
    customers = {one[0]: one for one in zip(*made["customers"].values(), strict=True)}
    assert len(customers) == 400
    for number, _, id_no, born, sex, *_ in customers.values():
        assert id_no[6:14] == born.replace("-", ""), number
        assert (int(id_no[16]) % 2 == 1) == (sex == "M")
    for cust_no, holder, phone in zip(
        made["loans"]["cust_no"], made["loans"]["holder"], made["loans"]["phone"], strict=True
    ):
        assert (holder, phone) == (customers[cust_no][1], customers[cust_no][5])


def test_amounts_and_days_of_a_person_move_together() -> None:
    tables = lender()
    made = made_of(tables)["loans"]
    for amount, half, issued, due in zip(made["amount"], made["half"], made["issued"], made["due"], strict=True):
        assert float(amount) / 2 == pytest.approx(float(half), abs=0.011)
        assert (date.fromisoformat(due) - date.fromisoformat(issued)).days in {365, 366}
    before = tables[LOANS]["amount"].cast(pa.float64()).to_pylist()
    assert sum(map(float, made["amount"])) == pytest.approx(sum(before), rel=0.1)
    assert sum(a == f"{b:.2f}" for a, b in zip(made["amount"], before, strict=True)) < 5


def test_a_value_that_few_share_is_not_kept() -> None:
    assert set(made_of(lender())["customers"]["city"]) == {"重庆", "成都"}


def test_the_same_key_makes_the_same_package_and_another_key_another() -> None:
    first, again, other = made_of(lender()), made_of(lender()), made_of(lender(), OTHER)
    assert first == again
    for column in ("cust_no", "id_no", "mobile", "name"):
        alike = sum(a == b for a, b in zip(first["customers"][column], other["customers"][column], strict=True))
        assert alike < 20, column


def test_no_name_of_an_original_stands_inside_a_made_one() -> None:
    real = pa.array(["马建国", "司马芳", "王伟", "李芳华"])
    empty = pa.array([], pa.uint64()).to_numpy()
    drawn = People(numbers=empty, places=empty, real_names=real).names(pa.array(range(40_000), pa.uint64()).to_numpy())
    for name in real.to_pylist():
        assert not [made for made in drawn.to_pylist() if made == name or (len(name) > 2 and name in made)]


def test_data_that_change_between_both_looks_are_refused() -> None:
    tables = lender(50)
    _, made = fabricate(tables, key=KEY)
    later = {**tables[CUSTOMERS], "mobile": pa.array(["13799999999"] * 50)}
    with pytest.raises(ColumnValuesError, match="was not there"):
        made.fabricate(CUSTOMERS, later)


def test_what_does_not_fit_its_column_is_refused_by_name() -> None:
    spec = TableSpec(
        name="t",
        columns=(ColumnSpec(name="mail", treatment=Treatment.IDENTIFIER, element=Element.EMAIL, longest=10),),
    )
    with pytest.raises(ColumnValuesError, match=r"t\.mail: takes 10 signs"):
        fabricate({spec: {"mail": pa.array(["a@b.cn"])}}, key=KEY)


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["2024-03-05 01:02:03.123456+00"], r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+00"),
        (["2024/03/05"], r"20\d\d/\d\d/\d\d"),
        (["20240305"], r"20\d{6}"),
        (["AB-1234", "AB-9999"], r"[0-9a-f]{7}"),
    ],
)
def test_facts_keep_the_form_in_which_a_column_writes_them(values: list[str], pattern: str) -> None:
    spec = TableSpec(name="t", columns=(ColumnSpec(name="c", treatment=Treatment.FACT),))
    made, _ = fabricate({spec: {"c": pa.array([*values, None])}}, key=KEY)
    column = made["t"]["c"]
    assert column[-1].as_py() is None
    assert pa.compute.all(pa.compute.match_substring_regex(column.slice(0, len(values)), f"^{pattern}$")).as_py()
    assert not set(values) & set(column.to_pylist())


@pytest.mark.parametrize(
    "keys",
    [
        [f"LN{number:04d}" for number in range(500)],
        [str(number) for number in range(7, 700)],
        ["A", "B", "C"],
        ["99000000-0000-4000-8000-00000000000" + sign for sign in "0123456789abcdef"],
    ],
)
def test_keys_are_exchanged_one_for_one(keys: list[str]) -> None:
    spec = TableSpec(name="t", columns=(ColumnSpec(name="k", treatment=Treatment.KEY, domain="k"),))
    made = fabricate({spec: {"k": pa.array(keys)}}, key=KEY)[0]["t"]["k"].to_pylist()
    assert len(set(made)) == len(keys)
    assert [len(one) for one in made] == [len(one) for one in keys] or keys[0] == "7"
