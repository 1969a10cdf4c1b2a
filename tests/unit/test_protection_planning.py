"""Planning is pure: from shape, scan and catalogue to what happens to every column."""

from itertools import product
from uuid import UUID

import pytest

from kuimen.governance.protection.catalogue import Dependant, TableFacts
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.plan import ProtectionPlan, dump_plan, load_plan
from kuimen.governance.protection.planning import build_plan
from kuimen.governance.protection.rules import (
    JOB_TRANSITIONS,
    STEP_TRANSITIONS,
    Action,
    JobEvent,
    JobState,
    Severity,
    StepEvent,
    StepState,
    action_for,
    is_raw_needle,
)
from kuimen.kernels.elements import ELEMENT_TABLE, Element, Storage
from kuimen.sources.marks import CUSTOMER_REF, SealedMark, sealed_comment, sealed_mark
from kuimen.sources.relations import ColumnInfo, ForeignKey, RelationInfo, RelationKind, UniqueKey
from kuimen.sources.scan import ScanRow

SOURCE = UUID("99000000-0000-4000-8000-00000000000a")


def table(
    name: str,
    columns: dict[str, str],
    *,
    key: tuple[str, ...] = (),
    foreign: dict[tuple[str, ...], tuple[str, tuple[str, ...]]] | None = None,
    rows: int = 10,
    comments: dict[str, str] | None = None,
) -> RelationInfo:
    return RelationInfo(
        schema="s",
        name=name,
        kind=RelationKind.TABLE,
        columns=tuple(
            ColumnInfo(name=one, type="text", nullable=one not in key, comment=(comments or {}).get(one))
            for one in columns
        ),
        unique_keys=(UniqueKey(name=f"{name}_pkey", columns=key, primary=True),) if key else (),
        foreign_keys=tuple(
            ForeignKey(
                name=f"{name}_{'_'.join(own)}_fkey",
                columns=own,
                target_schema="s",
                target_table=target,
                target_columns=theirs,
            )
            for own, (target, theirs) in (foreign or {}).items()
        ),
        approx_rows=rows,
    )


def facts(**changes: object) -> TableFacts:
    known = TableFacts(oid=1, owned=True, may_create=True)
    for name, value in changes.items():
        setattr(known, name, value)
    return known


def plan(*tables: tuple[RelationInfo, dict[str, str]], known: dict[str, TableFacts] | None = None) -> ProtectionPlan:
    relations = [relation for relation, _ in tables]
    scan = [
        ScanRow(source="x", schema="s", table=relation.name, column=name, element=element or None, type="text")
        for relation, elements in tables
        for name, element in elements.items()
    ]
    return build_plan(
        SOURCE,
        label="x",
        relations=relations,
        scan=scan,
        facts={("s", relation.name): (known or {}).get(relation.name, facts()) for relation in relations},
    )


PERSON = {"id": "", "xm": "person_name", "zjhm": "resident_id", "income": "income"}
LOAN = {"loan_no": "", "cust": "", "amount": "loan_amount"}


def lender() -> ProtectionPlan:
    return plan(
        (table("cust", PERSON, key=("id",)), PERSON),
        (table("loan", LOAN, key=("loan_no",), foreign={("cust",): ("cust", ("id",))}), LOAN),
        (table("repay", {"loan_no": "", "n": ""}, key=("loan_no", "n")), {"loan_no": "", "n": ""}),
        (table("params", {"k": "", "v": ""}, key=("k",)), {"k": "", "v": ""}),
    )


def actions(made: ProtectionPlan, name: str) -> dict[str, Action]:
    return {one.name: one.action for one in made.table("s", name).columns}


def test_every_column_gets_what_the_element_table_orders() -> None:
    made = lender()
    assert actions(made, "cust") == {
        "id": Action.LEAVE,
        "xm": Action.SEAL,
        "zjhm": Action.SEAL,
        "income": Action.DISSOCIATE,
    }
    assert made.table("s", "cust").is_person
    assert made.table("s", "cust").view == "cust_masked"


def test_tables_reach_their_person_over_declared_and_same_named_keys() -> None:
    made = lender()
    assert made.table("s", "loan").link is not None
    assert made.table("s", "loan").link.declared  # type: ignore[union-attr]
    link = made.table("s", "repay").link
    assert link is not None
    assert (link.columns, link.table, link.target_columns, link.declared) == (("loan_no",), "loan", ("loan_no",), False)
    assert [one.name for one in made.tables] == ["cust", "loan", "repay"]


def test_the_table_with_the_resident_id_is_the_persons_not_a_contact_list() -> None:
    contact = {"id": "", "xm": "person_name", "tel": "mobile"}
    made = plan(
        (table("contact", contact, key=("id",), rows=100_000), contact), (table("cust", PERSON, key=("id",)), PERSON)
    )
    assert [one.name for one in made.tables if one.is_person] == ["cust"]


@pytest.mark.parametrize(
    ("key", "expected", "adds"),
    [(("id",), ("id",), False), (("zjhm",), ("kuimen_row",), True), ((), ("kuimen_row",), True)],
)
def test_a_row_is_named_by_a_key_that_survives(key: tuple[str, ...], expected: tuple[str, ...], *, adds: bool) -> None:
    made = plan((table("cust", PERSON, key=key), PERSON)).table("s", "cust")
    assert (made.key, made.adds_row_key) == (expected, adds)


def test_a_foreign_key_on_a_sealed_column_follows_its_parent_and_shares_its_cut_over() -> None:
    login = {"mobile": "mobile", "x": ""}
    sms = {"id": "", "phone": ""}
    made = plan(
        (table("sms", sms, key=("id",), foreign={("phone",): ("login", ("mobile",))}), sms),
        (table("login", login, key=("mobile",)), login),
    )
    follower = next(one for one in made.table("s", "sms").columns if one.name == "phone")
    assert follower.action is Action.FOLLOW
    assert (follower.parent_table, follower.parent_column, follower.join) == ("login", "mobile", (("phone", "mobile"),))
    assert made.table("s", "sms").group == made.table("s", "login").group


def test_a_chain_of_foreign_keys_follows_to_the_end() -> None:
    one = {"m": "mobile"}
    made = plan(
        (table("c", one, foreign={("m",): ("b", ("m",))}), one),
        (table("b", one, key=("m",), foreign={("m",): ("a", ("m",))}), one),
        (table("a", one, key=("m",)), one),
    )
    assert [actions(made, name)["m"] for name in "abc"] == [Action.SEAL, Action.FOLLOW, Action.FOLLOW]
    assert len({made.table("s", name).group for name in "abc"}) == 1


def test_what_stands_on_a_column_is_named_and_views_do_not_block() -> None:
    view = Dependant(kind="view", name="s.v", oid=9, columns=frozenset({"xm"}))
    policy = Dependant(kind="policy", name="p", oid=8, columns=frozenset({"zjhm"}))
    made = plan((table("cust", PERSON, key=("id",)), PERSON), known={"cust": facts(dependants=[view, policy])})
    assert actions(made, "cust")["xm"] is Action.SEAL
    assert actions(made, "cust")["zjhm"] is Action.BLOCKED
    assert [(found.severity, found.place) for found in made.findings if found.severity is not Severity.NOTE] == [
        (Severity.WARNING, "s.cust.xm"),
        (Severity.BLOCKER, "s.cust.zjhm"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"owned": False},
        {"partition_key": frozenset({"zjhm", "xm"})},
        {"has_children": True},
        {"inherited_columns": frozenset({"xm", "zjhm"})},
    ],
)
def test_what_cannot_be_changed_is_a_blocker_not_a_surprise(changed: dict[str, object]) -> None:
    made = plan((table("cust", PERSON, key=("id",)), PERSON), known={"cust": facts(**changed)})
    assert {found.place for found in made.blockers} == {"s.cust.xm", "s.cust.zjhm"}
    assert made.columns_to_seal == 0


def test_generated_columns_go_with_their_origin() -> None:
    shape = {"id": "", "mobile": "mobile", "tail": ""}
    made = plan((table("t", shape, key=("id",)), shape), known={"t": facts(generated_from={"tail": {"mobile"}})})
    assert actions(made, "t")["tail"] is Action.DERIVED


def test_a_half_protected_table_keeps_the_names_it_got() -> None:
    mark = sealed_comment(SealedMark(element="mobile", column="mobile"))
    shape = {"id": "", "mobile": "mobile", "odd_name": "", "cref": ""}
    relation = table("t", shape, key=("id",), comments={"odd_name": mark, "cref": CUSTOMER_REF})
    made = plan((relation, {"id": "", "mobile": "mobile"}))
    assert [one.reference for one in made.table("s", "t").sealed] == ["odd_name"]


def test_a_protected_database_needs_no_plan() -> None:
    mark = sealed_comment(SealedMark(element="mobile", column="mobile"))
    relation = table("t", {"id": "", "mobile_ref": ""}, key=("id",), comments={"mobile_ref": mark})
    assert plan((relation, {"id": ""})).tables == ()


def test_a_plan_survives_its_storage() -> None:
    made = lender()
    assert load_plan(dump_plan(made)) == made


def test_marks_survive_odd_names() -> None:
    mark = SealedMark(element="mobile", column='手 "机" element=x}', type="char(11)", follows=True)
    assert sealed_mark(sealed_comment(mark)) == mark
    assert sealed_mark("kuimen:sealed {broken") is None


def test_names_fit_and_do_not_collide() -> None:
    long = "极长的列名" * 10
    first = with_suffix(long, "_ref")
    assert len(first.encode()) <= 63
    assert with_suffix(long, "_ref", taken={first}) not in {first, long}
    assert with_suffix("a", "_ref", taken={"a_ref", "a_ref_2"}) == "a_ref_3"


@pytest.mark.parametrize("element", list(Element))
def test_the_action_follows_the_storage_rule_of_every_element(element: Element) -> None:
    expected = {
        Storage.SEAL: Action.SEAL,
        Storage.DESTROY: Action.DESTROY,
        Storage.DISSOCIATE: Action.DISSOCIATE,
        Storage.PLAIN: Action.LEAVE,
    }
    assert action_for(element.value) is expected[ELEMENT_TABLE[element].storage]


@pytest.mark.parametrize(
    ("text", "element", "as_text", "raw"),
    [
        ("王秀英", "person_name", True, True),
        ("王伟", "person_name", True, False),
        ("19990000001", "mobile", False, True),
        ("1990-01-01", "birth_date", False, False),
        ("软件工程师", "occupation", True, False),
        ("t@e.cn", "email", True, False),
    ],
)
def test_needles_are_raw_from_eight_bytes_and_never_a_small_vocabulary(
    text: str, element: str, *, as_text: bool, raw: bool
) -> None:
    assert is_raw_needle(text, element=element, stored_as_text=as_text) is raw


def test_every_state_and_event_of_jobs_and_steps_is_decided() -> None:
    finished = {(state, event) for state, event in product(JobState, JobEvent) if (state, event) in JOB_TRANSITIONS}
    assert finished == {
        (JobState.PLANNED, JobEvent.START),
        (JobState.RUNNING, JobEvent.START),
        (JobState.RUNNING, JobEvent.FINISH),
        (JobState.RUNNING, JobEvent.STOP),
    }
    assert not any((StepState.DONE, event) in STEP_TRANSITIONS for event in StepEvent)
    assert all((state, StepEvent.BLOCK) in STEP_TRANSITIONS for state in StepState if state is not StepState.DONE)
    assert {state for (state, event) in STEP_TRANSITIONS if event is StepEvent.BIND} == {StepState.CUT_OVER}
