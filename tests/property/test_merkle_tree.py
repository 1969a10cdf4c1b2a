import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.kernels.ciphers import sm3
from kuimen.kernels.merkle import (
    EMPTY_ROOT,
    ConsistencyBrokenError,
    DigestLengthError,
    Frontier,
    FrontierBytesError,
    InclusionBrokenError,
    NodeReader,
    TreeRangeError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

sizes = st.integers(1, 130)


def naive_root(leaves: list[bytes]) -> bytes:
    """The recursive definition of RFC 6962, 2.1."""
    if not leaves:
        return sm3(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sm3(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:]))


def leaves_of(count: int) -> list[bytes]:
    return [sm3(b"\x00" + str(number).encode()) for number in range(count)]


def grown(count: int, step: int = 7) -> tuple[Frontier, NodeReader]:
    frontier, stored = Frontier(), {}
    leaves = leaves_of(count)
    for start in range(0, count, step):
        for run in frontier.append_many(leaves[start : start + step]):
            stored.update({(level, index): digest for level, index, digest in run.nodes()})
    return frontier, lambda level, index: stored[level, index]


@given(st.integers(0, 300), st.integers(1, 90))
def test_a_tree_grown_in_any_steps_has_the_root_of_the_definition(count: int, step: int) -> None:
    frontier, _ = grown(count, step)
    assert frontier.size == count
    assert frontier.root() == naive_root(leaves_of(count))


@given(sizes, st.integers(1, 40))
def test_every_complete_node_is_handed_out_exactly_once(count: int, step: int) -> None:
    frontier, seen = Frontier(), []
    leaves = leaves_of(count)
    for start in range(0, count, step):
        for run in frontier.append_many(leaves[start : start + step]):
            seen.extend((level, index) for level, index, _ in run.nodes())
    expected = {(level, index) for level in range(8) for index in range(count >> level)}
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


@given(st.data())
def test_every_leaf_is_proven_in_every_tree_that_holds_it(data: st.DataObject) -> None:
    count = data.draw(sizes)
    size = data.draw(st.integers(1, count))
    index = data.draw(st.integers(0, size - 1))
    _, reader = grown(count)
    leaves = leaves_of(count)
    proof = inclusion_proof(index, size, reader)
    verify_inclusion(leaves[index], index=index, size=size, proof=proof, root=naive_root(leaves[:size]))


@given(st.data())
def test_a_proof_does_not_serve_another_leaf_place_size_or_root(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 130))
    index = data.draw(st.integers(0, count - 1))
    _, reader = grown(count)
    leaves = leaves_of(count)
    root, proof = naive_root(leaves), inclusion_proof(index, count, reader)
    other = data.draw(st.integers(0, count - 1).filter(lambda number: number != index))
    place = data.draw(st.integers(0, len(proof) - 1))
    turned = bytes([proof[place][0] ^ 1]) + proof[place][1:]
    attempts = [
        (leaves[other], index, count, proof, root),
        (leaves[index], other, count, proof, root),
        (leaves[index], -1, count, proof, root),
        (leaves[index], count, count, proof, root),
        (leaves[index], index, count, proof, naive_root(leaves[:-1])),
        (leaves[index], index, count, proof[:-1], root),
        (leaves[index], index, count, (*proof, proof[0]), root),
        (leaves[index], index, count, (*proof[:place], turned, *proof[place + 1 :]), root),
    ]
    for leaf, at, size, path, against in attempts:
        with pytest.raises(InclusionBrokenError):
            verify_inclusion(leaf, index=at, size=size, proof=path, root=against)


@given(st.data())
def test_growth_is_proven_and_a_rewritten_past_is_not(data: st.DataObject) -> None:
    later = data.draw(sizes)
    earlier = data.draw(st.integers(0, later))
    _, reader = grown(later)
    leaves = leaves_of(later)
    proof = consistency_proof(earlier, later, reader)
    before, after = naive_root(leaves[:earlier]), naive_root(leaves)
    verify_consistency(earlier=earlier, later=later, proof=proof, earlier_root=before, later_root=after)
    if earlier:
        changed = [sm3(b"changed"), *leaves[1:earlier]]
        with pytest.raises(ConsistencyBrokenError):
            verify_consistency(
                earlier=earlier, later=later, proof=proof, earlier_root=naive_root(changed), later_root=after
            )
        with pytest.raises(ConsistencyBrokenError):
            verify_consistency(
                earlier=earlier, later=later, proof=(*proof, after), earlier_root=before, later_root=after
            )
    for place in range(len(proof)):
        turned = (*proof[:place], sm3(proof[place]), *proof[place + 1 :])
        with pytest.raises(ConsistencyBrokenError):
            verify_consistency(earlier=earlier, later=later, proof=turned, earlier_root=before, later_root=after)


@given(st.integers(0, 500))
def test_a_stored_frontier_goes_on_where_it_stopped(count: int) -> None:
    frontier, _ = grown(count)
    restored = Frontier.from_bytes(frontier.to_bytes())
    more = [leaf_hash(b"more")] * 3
    frontier.append_many(more)
    restored.append_many(more)
    assert (restored.size, restored.root()) == (frontier.size, frontier.root())


@pytest.mark.parametrize("stored", [b"", b"\0" * 7, b"\0" * 7 + b"\1", b"\0" * 8 + b"\1" * 32, b"\xff" * 2056])
def test_bytes_that_are_no_frontier_are_refused(stored: bytes) -> None:
    with pytest.raises(FrontierBytesError):
        Frontier.from_bytes(stored)


def test_impossible_questions_are_refused() -> None:
    frontier, reader = grown(3)
    for index, size in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(TreeRangeError):
            inclusion_proof(index, size, reader)
    for earlier, later in ((4, 3), (-1, 3)):
        with pytest.raises(TreeRangeError):
            consistency_proof(earlier, later, reader)
    with pytest.raises(DigestLengthError):
        frontier.append(b"short")
    assert frontier.size == 3
    assert Frontier().root() == EMPTY_ROOT
