"""Ten thousand moves and alterations of sealed values, of every kind that the format promises to refuse."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import pyarrow as pa
import pytest

from kuimen.kernels.ciphers import OVERHEAD_BYTES, Sealer, Suite, build_aad
from kuimen.kernels.ciphers.paths import READY, forced_path, path_states

ATTACKS = 10_000
BATCH = b"kuimen.vault"
PATHS = [name for name, state in path_states().items() if state == READY]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A record of the vault: where its value belongs, and under which key it lies."""

    institution: bytes
    record: UUID
    element: str
    person: UUID | None
    retention_class: str
    generation: int
    key: bytes = field(repr=False)

    @property
    def context(self) -> bytes:
        return build_aad(
            self.institution,
            record=self.record,
            element=self.element,
            person=self.person,
            retention_class=self.retention_class,
            generation=self.generation,
        )


def places(dice: random.Random, count: int, key_bytes: int) -> list[Place]:
    return [
        Place(
            institution=b"institution one",
            record=UUID(int=dice.getrandbits(128)),
            element=dice.choice(["mobile", "resident_id", "person_name"]),
            person=UUID(int=dice.getrandbits(128)) if dice.random() < 0.8 else None,
            retention_class=dice.choice(["identity_transaction", "consent_based"]),
            generation=dice.randrange(1, 5),
            key=dice.randbytes(key_bytes),
        )
        for _ in range(count)
    ]


Move = Callable[[random.Random, Place, Place], Place]
Alteration = Callable[[random.Random, bytes, bytes], bytes]

# Where a genuine value is put: its own place and that of another value are given.
MOVES: dict[str, Move] = {
    "row": lambda _dice, place, other: replace(place, record=other.record),
    "column": lambda _dice, place, _other: replace(place, element="landline"),
    "table": lambda _dice, _place, other: other,
    "person": lambda dice, place, _other: replace(
        place, person=UUID(int=dice.getrandbits(128)) if place.person is None or dice.random() < 0.5 else None
    ),
    "tenant": lambda _dice, place, _other: replace(place, institution=b"institution two"),
    "class": lambda _dice, place, _other: replace(place, retention_class="adverse_item"),
    "version": lambda _dice, place, _other: replace(place, generation=place.generation + 1),
    "key": lambda dice, place, _other: replace(place, key=dice.randbytes(len(place.key))),
}


def truncated(dice: random.Random, sealed: bytes, _other: bytes) -> bytes:
    cut = dice.randrange(1, len(sealed) + 1)
    at = dice.randrange(len(sealed))
    return dice.choice([sealed[:-cut], sealed[cut:], sealed[:at] + sealed[at + 1 :]])


def extended(dice: random.Random, sealed: bytes, _other: bytes) -> bytes:
    more = dice.randbytes(dice.randrange(1, 40))
    return dice.choice([sealed + more, more + sealed])


def turned(dice: random.Random, sealed: bytes, _other: bytes) -> bytes:
    at = dice.randrange(len(sealed))
    return sealed[:at] + bytes([sealed[at] ^ 1 << dice.randrange(8)]) + sealed[at + 1 :]


def renamed_suite(dice: random.Random, sealed: bytes, _other: bytes) -> bytes:
    """Name the other suite, an unknown one, or say text for binary."""
    number = dice.choice([3 - sealed[1], dice.randrange(3, 128), sealed[1] | 0x80])
    return sealed[:1] + bytes([number]) + sealed[2:]


# What is made of the bytes: those of another genuine value are given.
ALTERATIONS: dict[str, Alteration] = {
    "truncation": truncated,
    "extension": extended,
    "bit": turned,
    "suite": renamed_suite,
    "generation": lambda dice, sealed, _other: sealed[:2] + dice.randrange(9, 2**32).to_bytes(4, "big") + sealed[6:],
    "format": lambda dice, sealed, _other: bytes([0xC0 | dice.choice([0, *range(2, 16)])]) + sealed[1:],
    "splice": lambda _dice, sealed, other: sealed[:18] + other[18:],
}
KINDS = [*MOVES, *ALTERATIONS]


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with forced_path(request.param):
        yield request.param


@pytest.mark.clause("CQJR-5.3-d")
@pytest.mark.parametrize("suite", [Suite.SM4_GCM, Suite.AES_256_GCM])
def test_no_moved_or_altered_value_opens(path: str, suite: Suite) -> None:
    share = ATTACKS // 2 if path == PATHS[0] else 500  # ten thousand by the path in use, a sample by the others
    dice = random.Random(f"{path} {suite}")
    held = places(dice, share, suite.key_bytes)
    values = [dice.randbytes(dice.randrange(40)) for _ in held]
    sealer = Sealer.for_key(bytes(suite.key_bytes), suite)
    sealed = sealer.seal_column(
        pa.array(values),
        BATCH,
        [place.context for place in held],
        [place.key for place in held],
        row_key_ids=[place.generation for place in held],
    )
    rows = sealed.to_pylist()
    tried: Counter[str] = Counter()
    attacked: list[tuple[Place, bytes]] = []
    for at, (place, row) in enumerate(zip(held, rows, strict=True)):
        kind, far = KINDS[at % len(KINDS)], (at + dice.randrange(1, share)) % share
        if kind in MOVES:
            attacked.append((MOVES[kind](dice, place, held[far]), row))
        else:
            attacked.append((place, ALTERATIONS[kind](dice, row, rows[far])))
        assert attacked[-1] != (place, row)
        tried[kind] += 1
    opened = sealer.open_column(
        pa.array([row for _, row in attacked]),
        BATCH,
        [place.context for place, _ in attacked],
        [place.key for place, _ in attacked],
        errors="null",
    )
    assert opened.null_count == share
    assert min(tried.values()) >= share // len(KINDS)
    genuine = sealer.open_column(
        sealed, BATCH, [place.context for place in held], [place.key for place in held], as_text=False
    )
    assert genuine.to_pylist() == values
    assert len(rows[0]) == len(values[0]) + OVERHEAD_BYTES
