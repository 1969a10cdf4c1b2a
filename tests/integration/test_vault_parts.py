"""Indexes of parts of values: built only where the planner admits it, by two persons, and kept true by every writer."""

import json
import random
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from fixtures.installed import System
from fixtures.killing import killed_at
from fixtures.people import People, appoint_officers
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.models import IndexKey
from kuimen.gate.keys.rules import KeyEvent, RetentionClass
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.erasing import destroy_records, held_of, left_over
from kuimen.gate.vault.errors import LeakyPartIndexError, PartIndexStateError, PartNotSearchableError
from kuimen.gate.vault.models import PartIndex, PartTag, Record
from kuimen.gate.vault.part_rules import IndexName, Part
from kuimen.gate.vault.parts import building, planner
from kuimen.gate.vault.parts import services as parts
from kuimen.gate.vault.parts.leakage import Flaw
from kuimen.gate.vault.rotation import services as rotation
from kuimen.gate.vault.services import SealItem
from kuimen.kernels.elements.model import Element

IDENTITY = RetentionClass.IDENTITY_TRANSACTION
LAST_FOUR = IndexName(element=Element.MOBILE, part=Part.LAST_FOUR)
FIRST_THREE = IndexName(element=Element.MOBILE, part=Part.FIRST_THREE)
BOTH_ENDS = IndexName(element=Element.MOBILE, part=Part.BOTH_ENDS)
SEED = 20261122
PEOPLE = 1_200


def item(row: int, text: str, person: UUID | None, *, element: Element = Element.MOBILE) -> SealItem:
    return SealItem(
        element=element,
        value=Sensitive(text, element=element.value),
        source_id="legacy_core",
        source_table=f"public.{element.value}",
        source_column="content",
        source_key=row.to_bytes(32, "big"),
        person_ref=person,
        retention_class=IDENTITY,
    )


def phones(count: int = PEOPLE, *, first: int = 0) -> list[tuple[UUID, str]]:
    return [(uuid4(), f"1999000{number:04}") for number in range(first, first + count)]


def sealed(people: Iterable[tuple[UUID, str]], *, first: int = 0, element: Element = Element.MOBILE) -> list[UUID]:
    made = vault.seal_many([item(first + row, text, ref, element=element) for row, (ref, text) in enumerate(people)])
    return [one.record_id for one in made]


def built(people: People, name: IndexName = LAST_FOUR) -> int:
    """Build an index as two persons; return its generation."""
    ticket = building.ask_to_build(name, maker=people.maker, reason="客服按尾号核对来电")
    approvals.approve(ticket.ticket_id, checker=people.checker)
    report = building.build(name, ticket_id=ticket.ticket_id, actor=people.maker)
    assert (report.finished, report.left) == (True, 0)
    return PartIndex.objects.filter(element=name.element, part=name.part).latest("generation").generation


def dropped(people: People, generation: int, name: IndexName = LAST_FOUR) -> int:
    ticket = building.ask_to_drop(name, generation, maker=people.maker, reason="已有新一代索引")
    approvals.approve(ticket.ticket_id, checker=people.checker)
    return building.drop(name, generation, ticket_id=ticket.ticket_id, actor=people.maker)


def found(text: str, name: IndexName = LAST_FOUR) -> frozenset[UUID]:
    return parts.find_people(name, Sensitive(text, element=name.element.value)).people


def test_an_admitted_index_is_built_by_two_and_finds_by_part_however_it_is_written(system: System) -> None:
    people, borrowers = appoint_officers(), phones()
    sealed(borrowers)
    with pytest.raises(PartNotSearchableError):
        found("0042")
    built(people)
    assert found("0042") == {borrowers[42][0]}
    assert found(" ００４２ ") == {borrowers[42][0]}
    assert found("9999") == frozenset()
    assert parts.searchable() == [LAST_FOUR]
    with pytest.raises(PartNotSearchableError, match="exactly 4"):
        found("042")
    assert not any(b"0042" in bytes(body) for body in Entry.objects.values_list("body", flat=True))


def test_of_one_element_one_part_is_indexed_at_a_time(system: System) -> None:
    people, borrowers = appoint_officers(), phones()
    sealed(borrowers)
    built(people)
    with pytest.raises(LeakyPartIndexError, match="another part"):
        building.ask_to_build(BOTH_ENDS, maker=people.maker, reason="按前三后四查")
    dropped(people, 1)
    built(people, BOTH_ENDS)
    assert found("199****0042", BOTH_ENDS) == {borrowers[42][0]}


def test_neither_one_person_nor_somebody_else_nor_a_used_ticket_builds(system: System) -> None:
    people = appoint_officers()
    sealed(phones())
    collector = people.hire("C0001", Role.COLLECTOR)
    with pytest.raises(NotPermittedError):
        building.ask_to_build(LAST_FOUR, maker=collector, reason="按尾号查客户")
    ticket = building.ask_to_build(LAST_FOUR, maker=people.maker, reason="按尾号核对来电")
    with pytest.raises(TicketTransitionError):
        building.build(LAST_FOUR, ticket_id=ticket.ticket_id, actor=people.maker)
    approvals.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        building.build(BOTH_ENDS, ticket_id=ticket.ticket_id, actor=people.maker)
    assert not PartIndex.objects.exists()
    building.build(LAST_FOUR, ticket_id=ticket.ticket_id, actor=people.maker)
    with pytest.raises(TicketTransitionError):
        building.build(LAST_FOUR, ticket_id=ticket.ticket_id, actor=people.maker)


def test_the_planner_refuses_with_the_measure_and_its_limit_and_the_refusal_is_recorded(system: System) -> None:
    people = appoint_officers()
    sealed(phones())
    plans = {one.name.part: one for one in planner.plan_element(Element.MOBILE)}
    assert plans[Part.LAST_FOUR].admitted
    assert plans[Part.BOTH_ENDS].admitted
    assert plans[Part.FIRST_THREE].flaws == (Flaw.TOO_FEW_VALUES, Flaw.SKEWED, Flaw.NAMEABLE)
    with pytest.raises(LeakyPartIndexError, match=r"1 different values, fewer than 256.*100\.00%, more than 1%"):
        building.ask_to_build(FIRST_THREE, maker=people.maker, reason="按前三位查")
    told = building.plan(Element.MOBILE, reader=people.maker)
    assert [one.name.part for one in told if one.admitted] == [Part.WHOLE, Part.LAST_FOUR, Part.BOTH_ENDS]
    assert Entry.objects.get(action="vault.part_index_plan").object_ref == "mobile"
    with pytest.raises(NotPermittedError):
        building.plan(Element.MOBILE, reader=people.hire("C0001", Role.COLLECTOR))
    refused = Entry.objects.get(action="vault.part_index_build")
    assert (refused.outcome, refused.object_ref) == ("refused", "mobile/first_three")
    assert json.loads(bytes(refused.body))["facts"]["reason"] == ["too_few_values", "skewed", "nameable"]
    assert not PartIndex.objects.exists()


def test_sex_and_too_few_people_and_surnames_are_refused(system: System) -> None:
    appoint_officers()
    refs = [uuid4() for _ in range(300)]
    sealed([(ref, "男" if row % 2 else "女") for row, ref in enumerate(refs)], element=Element.SEX)
    rng = random.Random(SEED)
    names = rng.choices("王李张刘陈杨黄赵", weights=(8, 7, 7, 6, 5, 3, 2, 2), k=300)
    sealed([(ref, f"{names[row]}测试") for row, ref in enumerate(refs)], element=Element.PERSON_NAME)
    sealed(phones(300))
    (sex,) = planner.plan_element(Element.SEX)
    assert sex.flaws == (Flaw.UNDECLARED, Flaw.TOO_FEW_VALUES, Flaw.SKEWED, Flaw.NAMEABLE)
    assert sex.measures.values == 2
    surname = planner.plan_of(IndexName(element=Element.PERSON_NAME, part=Part.SURNAME))
    assert {Flaw.TOO_FEW_PEOPLE, Flaw.TOO_FEW_VALUES, Flaw.SKEWED, Flaw.NAMEABLE} == set(surname.flaws)
    assert planner.plan_of(LAST_FOUR).flaws == (Flaw.TOO_FEW_PEOPLE,)
    assert planner.plan_of(IndexName(element=Element.SEX, part=Part.LAST_FOUR)).flaws == (Flaw.UNDECLARED,)


def test_every_writer_keeps_the_index_true(system: System) -> None:
    people, borrowers = appoint_officers(), phones()
    sealed(borrowers)
    built(people)
    newcomer = uuid4()
    sealed([(newcomer, "19990009876")], first=PEOPLE)
    assert found("9876") == {newcomer}
    sealed([(newcomer, "19990009877")], first=PEOPLE)  # the source's application wrote another number
    assert (found("9876"), found("9877")) == (frozenset(), {newcomer})
    sealed([(newcomer, "02000")], first=PEOPLE)  # too short to have the part
    assert found("9877") == frozenset()
    assert PartTag.objects.count() == Record.objects.count()
    rotation.reencrypt(IDENTITY, actor=SYSTEM)
    survivor, merged = borrowers[7][0], borrowers[8][0]
    rotation.merge_persons(merged, survivor, actor=SYSTEM)
    assert found("0007") == found("0008") == {survivor}


def test_two_generations_stand_side_by_side_and_dropping_one_leaves_nothing_of_it(system: System) -> None:
    people, borrowers = appoint_officers(), phones()
    sealed(borrowers)
    first = built(people)
    before = dict(PartTag.objects.values_list("record_id", "tag"))
    second = built(people)
    assert (first, second) == (1, 2)
    after = dict(PartTag.objects.filter(index__generation=2).values_list("record_id", "tag"))
    assert after.keys() == before.keys()
    assert sum(before[one] == after[one] for one in after) < PEOPLE / 20  # another key
    newcomer = uuid4()
    sealed([(newcomer, "19990009876")], first=PEOPLE)
    assert PartTag.objects.filter(record__person_ref=newcomer).count() == 2
    assert found("0042") == {borrowers[42][0]}
    assert dropped(people, 1) == PEOPLE + 1
    assert found("0042") == {borrowers[42][0]}
    assert dropped(people, 2) == PEOPLE + 1
    with pytest.raises(PartNotSearchableError):
        found("0042")
    assert not PartTag.objects.exists()
    states = set(IndexKey.objects.filter(element=LAST_FOUR.text).values_list("state", flat=True))
    assert states == {"destroyed"}
    with pytest.raises(PartIndexStateError):
        building.ask_to_drop(LAST_FOUR, 2, maker=people.maker, reason="再删一次")
    assert built(people) == 3
    assert found("0042") == {borrowers[42][0]}


def test_a_killed_build_is_gone_on_with_and_searched_only_when_complete(system: System) -> None:
    people, borrowers = appoint_officers(), phones()
    sealed(borrowers)
    ticket = building.ask_to_build(LAST_FOUR, maker=people.maker, reason="按尾号核对来电")
    approvals.approve(ticket.ticket_id, checker=people.checker)

    def go_on() -> None:
        if PartIndex.objects.exists():
            building.resume(LAST_FOUR, actor=people.maker, batch=200)
        else:
            building.build(LAST_FOUR, ticket_id=ticket.ticket_id, actor=people.maker, batch=200)

    newcomer = uuid4()
    for step, statement in enumerate((6, 25, 40, 9, 17)):
        assert killed_at(go_on, statement, before=bool(step % 2))
        with pytest.raises(PartNotSearchableError):
            found("0042")
    assert PartTag.objects.exists()
    sealed([(newcomer, "19990009876")], first=PEOPLE)
    go_on()
    assert (found("0042"), found("9876")) == ({borrowers[42][0]}, {newcomer})
    assert PartTag.objects.count() == PEOPLE + 1


def test_what_is_erased_has_no_tag_of_any_part_and_a_suspended_person_is_not_found(system: System) -> None:
    people, borrowers = appoint_officers(), phones()
    sealed(borrowers)
    built(people)
    gone = borrowers[42][0]
    Record.objects.filter(person_ref=gone).update(state="suspended")
    assert found("0042") == frozenset()
    keys.change_person_key(gone, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    keys.change_person_key(gone, retention_class=IDENTITY, event=KeyEvent.DESTROY, actor=SYSTEM)
    assert held_of(gone, IDENTITY).tags == 2
    with transaction.atomic():
        erased = destroy_records(keys.keyring(), gone, IDENTITY)
    assert (erased.records, erased.tags, held_of(gone, IDENTITY).tags, left_over()[1]) == (1, 2, 0, 0)


def recovered(tags: dict[UUID, int], truth: dict[UUID, str], rng: random.Random) -> float:
    """Attack: know exactly how often each part occurs, rank tags and parts by frequency, name every record."""
    by_tag, by_part = frequencies(tags.values()), frequencies(truth.values())
    rng.shuffle(by_tag)
    rng.shuffle(by_part)
    by_tag.sort(key=lambda one: -one[1])
    by_part.sort(key=lambda one: -one[1])
    named = {tag: part for (tag, _), (part, _) in zip(by_tag, by_part, strict=False)}
    return sum(named.get(tag) == truth[record] for record, tag in tags.items()) / len(tags)


def frequencies(values: Iterable[object]) -> list[tuple[object, int]]:
    counted: dict[object, int] = {}
    for value in values:
        counted[value] = counted.get(value, 0) + 1
    return list(counted.items())


def in_vault(ids: Sequence[UUID], values: Sequence[str], cut: slice) -> tuple[dict[UUID, int], dict[UUID, str]]:
    tags = dict(PartTag.objects.filter(record_id__in=ids).values_list("record_id", "tag"))
    return tags, {ref: text[cut] for ref, text in zip(ids, values, strict=True)}


def test_a_frequency_attack_on_an_admitted_index_names_no_more_than_the_planner_stated(system: System) -> None:
    people, rng = appoint_officers(), random.Random(SEED)
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = ["".join(rng.choices(letters, weights=range(30, 4, -1), k=10)) for _ in range(4_000)]
    ids = sealed([(uuid4(), name) for name in names], element=Element.USER_NAME)
    name = IndexName(element=Element.USER_NAME, part=Part.FIRST_THREE)
    stated = planner.plan_of(name).measures
    built(people, name)
    tags, truth = in_vault(ids, names, slice(3))
    assert max(recovered(tags, truth, rng) for _ in range(20)) <= stated.named
    assert stated.named < 0.05
    # even the right key names a record only among those who share its short tag
    sharing = len(ids) / len(set(tags.values()))
    assert sharing >= 8
    wrong = sum(size * size for _, size in frequencies(tags.values())) / len(ids)
    assert wrong == pytest.approx(stated.per_search, rel=0.1)


def test_a_planted_skew_is_refused_and_would_have_been_named(system: System) -> None:
    people, rng = appoint_officers(), random.Random(SEED)
    values = [text for _, text in phones(1_000)] + ["19990005555"] * 200  # a placeholder that some branch typed in
    ids = sealed([(uuid4(), text) for text in values])
    plan = planner.plan_of(LAST_FOUR)
    assert Flaw.SKEWED in plan.flaws
    assert Flaw.NAMEABLE in plan.flaws
    assert plan.measures.top_share == pytest.approx(200 / 1_200)
    with pytest.raises(LeakyPartIndexError, match=r"16\.67%"):
        building.ask_to_build(LAST_FOUR, maker=people.maker, reason="按尾号核对来电")
    # what the refusal saves: with plain tags the attack names the placeholder's records at once
    truth = {ref: text[-4:] for ref, text in zip(ids, values, strict=True)}
    numbers = {part: number for number, part in enumerate(sorted(set(truth.values())))}
    assert recovered({ref: numbers[part] for ref, part in truth.items()}, truth, rng) >= 200 / 1_200
