"""An answer is held against what is sealed, and nothing else leaves."""

from datetime import timedelta

import pytest

from fixtures.disclosing import COLLECTOR, World, challenge
from fixtures.installed import System
from kuimen.foundation.errors import rule_for
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Subject
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.errors import (
    ChallengeLockedError,
    DisclosureInputError,
)
from kuimen.kernels.elements import Element


@pytest.fixture
def world(system: System) -> World:
    return World(system)


@pytest.mark.clause("CQJR-5.4-d")
def test_a_challenge_tells_right_or_wrong_and_three_wrong_answers_end_the_day(world: World) -> None:
    (ref,) = world.customers(1)
    right = world.resident_id(ref)[-4:]
    assert challenge(world, ref, right.lower()).matched
    for remaining in (2, 1, 0):
        result = challenge(world, ref, "0000")
        assert (result.matched, result.remaining_attempts) == (False, remaining)
    with pytest.raises(ChallengeLockedError) as caught:
        challenge(world, ref, right)
    assert rule_for(caught.value).http_status == 429
    assert Entry.objects.filter(action="disclosure.alert").count() == 1
    for entry in Entry.objects.all():
        assert f'"{right}"' not in bytes(entry.body).decode()
        assert '"0000"' not in bytes(entry.body).decode()
    world.clock.advance(timedelta(days=1))
    assert challenge(world, ref, right).matched


def test_wrong_answers_count_for_the_customer_whoever_asks(world: World) -> None:
    (ref,) = world.customers(1)
    other = Subject(staff_no="S0009", display_name="催收丙", roles=COLLECTOR.roles, mfa=True)
    asked = {
        "purpose": "collection",
        "object_type": world.object_type,
        "object_ref": "CASE-1",
        "customer_ref": ref,
        "element": Element.MOBILE,
        "answer": Sensitive("7777", element="mobile"),
    }
    assert disclosure.challenge(other, **asked).remaining_attempts == 2  # type: ignore[arg-type]
    assert challenge(world, ref, "0000").remaining_attempts == 1


@pytest.mark.parametrize("answer", ["", "123", "12345", "一二", "    "])
def test_an_answer_that_is_none_does_not_count(world: World, answer: str) -> None:
    (ref,) = world.customers(1)
    with pytest.raises(DisclosureInputError):
        challenge(world, ref, answer)
    assert challenge(world, ref, "0000").remaining_attempts == 2


@pytest.mark.parametrize("element", [Element.PASSWORD, Element.SEX, Element.ADDRESS])
def test_customers_are_asked_only_for_listed_elements(world: World, element: Element) -> None:
    (ref,) = world.customers(1)
    with pytest.raises(DisclosureInputError):
        challenge(world, ref, "1234", element=element)


def test_a_full_name_is_compared_whole(world: World) -> None:
    (ref,) = world.customers(1)
    name = world.name(ref)
    assert challenge(world, ref, f" {name} ", element=Element.PERSON_NAME).matched
    assert not challenge(world, ref, name[:-1] or "一", element=Element.PERSON_NAME).matched
