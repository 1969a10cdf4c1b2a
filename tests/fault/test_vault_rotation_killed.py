"""Rotations of the vault that are killed go on, lose nothing and miss nothing.

`KUIMEN_KILL_POINTS=200` with `-o timeout=0` kills as often as a release wants it; a few points are enough every day.
"""

import os
import random
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from fixtures.installed import System
from fixtures.killing import killed_at
from fixtures.rotating import IDENTITY, clear, found, item, phone, reopened, sealed_people
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.models import IndexKey
from kuimen.gate.keys.rules import KeyState
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.models import Index
from kuimen.gate.vault.rotation import services
from kuimen.kernels.elements.model import Element

SEED = 20261123
KILL_POINTS = int(os.environ.get("KUIMEN_KILL_POINTS", "4"))


def kill_at_random_points(
    system: System, deed: Callable[[], object], check: Callable[[], None], *, statements: int, seed: int
) -> int:
    draw = random.Random(seed)
    kills = 0
    for _ in range(KILL_POINTS):
        kills += killed_at(deed, draw.randint(1, statements), before=draw.random() < 0.5)
        reopened(system)
        check()
        deed()
        check()
    return kills


@pytest.mark.fault
def test_a_reencryption_that_is_killed_goes_on_and_loses_nothing(system: System) -> None:
    before = sealed_people(20, with_table_key=4)

    def check() -> None:
        assert clear(list(before)) == before
        assert found(phone(7))

    kills = kill_at_random_points(
        system, lambda: services.reencrypt(IDENTITY, actor=SYSTEM, batch=6), check, statements=60, seed=SEED
    )
    assert kills >= KILL_POINTS // 2


@pytest.mark.fault
def test_a_reindex_that_is_killed_goes_on_and_misses_nothing(system: System) -> None:
    before = sealed_people(20)

    def check() -> None:
        assert all(found(text) == [one] for one, text in before.items())

    def deed() -> None:
        if services.reindex(Element.MOBILE, actor=SYSTEM, batch=6).finished:
            for one in Index.objects.values_list("generation", flat=True).distinct():
                if IndexKey.objects.get(element="mobile", generation=one).state == KeyState.RETIRED.value:
                    Index.objects.filter(generation=one).delete()
                    IndexKey.objects.filter(element="mobile", generation=one).update(
                        state=KeyState.DESTROYED.value, wrapped=None
                    )
            keys.keyring().tree.forget_index("mobile")

    kills = kill_at_random_points(system, deed, check, statements=40, seed=SEED + 1)
    assert kills >= KILL_POINTS // 2


@pytest.mark.fault
def test_a_merge_that_is_killed_goes_on_and_loses_nothing(system: System) -> None:
    merged, survivor = uuid4(), uuid4()
    refs = vault.seal_many([item(row, phone(row), merged) for row in range(12)])
    before = {UUID(str(ref.record_id)): phone(row) for row, ref in enumerate(refs)}
    people = [merged, survivor]

    def deed() -> None:
        services.merge_persons(people[0], people[1], actor=SYSTEM, batch=3)

    def check() -> None:
        assert clear(list(before)) == before

    draw = random.Random(SEED + 2)
    for _ in range(KILL_POINTS):
        killed_at(deed, draw.randint(1, 40), before=draw.random() < 0.5)
        reopened(system)
        check()
        deed()
        check()
        assert len(vault.records_of(people[1])) == 12
        people.reverse()
