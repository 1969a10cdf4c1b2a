"""The quick way to bind many wrapped keys gives the same bytes as the plain one."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from kuimen.gate.keys.material import person_binding, person_bindings
from kuimen.gate.keys.rules import LEASE_BLOCKS, MOST_USES, LeasedKind, RetentionClass, lease_size


@given(st.lists(st.tuples(st.uuids(), st.integers(1, 2**31)), max_size=20), st.integers(1, 2**31))
def test_many_bindings_are_the_bindings_of_each(rows: list[tuple[UUID, int]], version: int) -> None:
    institution = uuid4()
    kind = RetentionClass.CONSENT_BASED
    assert person_bindings(institution, kind, version, [(str(ref), number) for ref, number in rows]) == [
        person_binding(institution, kind, version, ref, number) for ref, number in rows
    ]


@given(st.sampled_from(LeasedKind), st.integers(1, 2**34))
def test_a_lease_is_whole_blocks_and_enough(kind: LeasedKind, wanted: int) -> None:
    size = lease_size(kind, wanted)
    assert size >= wanted
    assert size % LEASE_BLOCKS[kind] == 0
    assert size - wanted < LEASE_BLOCKS[kind]
    assert MOST_USES % LEASE_BLOCKS[kind] == 0
