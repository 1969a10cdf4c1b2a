"""Uses are counted in advance and durably; a key without uses left seals nothing more and still opens."""

import os
import signal
from uuid import uuid4

import pytest
from django.db import connections

from fixtures.installed import CUSTODIANS, System
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeyUsesExhaustedError
from kuimen.gate.keys.leases import leased_person, leased_table
from kuimen.gate.keys.models import DomainKey, PersonKey, TableKey
from kuimen.gate.keys.rules import LEASE_BLOCKS, MOST_USES, LeasedKind, RetentionClass

IDENTITY = RetentionClass.IDENTITY_TRANSACTION
BLOCK = LEASE_BLOCKS[LeasedKind.PERSON]


def reopened(system: System) -> None:
    keys.lock()
    keys.unlock(system.home.root_key, CUSTODIANS)


def test_a_new_key_brings_its_first_block_and_the_next_one_is_leased_when_it_is_used_up(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    ring.person_keys([ref], IDENTITY)
    for uses, leased in ((BLOCK, BLOCK), (1, 2 * BLOCK), (BLOCK - 1, 2 * BLOCK), (2 * BLOCK, 4 * BLOCK)):
        ring.claim({leased_person(ref, IDENTITY, 1): uses})
        assert PersonKey.objects.get(person_ref=ref).uses_leased == leased
    reopened(system)  # what was left of a block is gone with the process that held it
    keys.keyring().claim({leased_person(ref, IDENTITY, 1): 1})
    assert PersonKey.objects.get(person_ref=ref).uses_leased == 5 * BLOCK


def test_a_lease_survives_the_death_of_the_process_that_took_it(system: System) -> None:
    key = keys.keyring().table_key("vault/core/notes", IDENTITY)
    connections.close_all()
    child = os.fork()
    if child == 0:
        keys.keyring().claim({leased_table("vault/core/notes", IDENTITY, key.generation): 5})
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert TableKey.objects.get().uses_leased == LEASE_BLOCKS[LeasedKind.TABLE]


def test_an_exhausted_key_is_refused_with_the_remedy_and_still_opens(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    before = ring.person_keys([ref], IDENTITY)[ref].key
    PersonKey.objects.update(uses_leased=MOST_USES - 1)
    with pytest.raises(KeyUsesExhaustedError, match="reencrypt"):
        ring.claim({leased_person(ref, IDENTITY, 1): BLOCK + 1})
    DomainKey.objects.update(uses_leased=MOST_USES)
    reopened(system)
    assert keys.keyring().person_keys([ref], IDENTITY)[ref].key == before
    with pytest.raises(KeyUsesExhaustedError, match="rotate-domain"):
        keys.keyring().person_keys([uuid4()], IDENTITY)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    assert keys.keyring().person_keys([uuid4()], IDENTITY)


def test_every_use_of_the_root_is_recorded_and_uses_of_a_domain_key_are_counted(system: System) -> None:
    keys.keyring().person_keys([uuid4() for _ in range(9)], IDENTITY)
    keys.lock()
    used = Entry.objects.filter(action="keys.root_use", object_ref="domain/identity_transaction/1")
    assert used.count() >= 1
    (counted,) = Entry.objects.filter(action="keys.domain_use")
    assert b'"wrapped":9' in bytes(counted.body)
    assert b'"unwrapped":9' in bytes(counted.body)
