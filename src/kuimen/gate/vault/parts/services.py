"""Use cases of indexes of parts: search, list. Planning is in `planner`, building and dropping in `building`.

Clause: CQJR-5.3-d
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.keys import services as keys
from kuimen.gate.vault import part_tags, store
from kuimen.gate.vault.errors import PartNotSearchableError, SearchTooWideError
from kuimen.gate.vault.models import PartIndex, PartTag, Record
from kuimen.gate.vault.opening import open_stored
from kuimen.gate.vault.part_rules import IndexName, Part, PartIndexState, part_of, said_flaw
from kuimen.gate.vault.rules import SHOWN
from kuimen.gate.vault.services import find_records
from kuimen.kernels.ciphers import normalise_for_index
from kuimen.kernels.elements.model import Element

MOST_OPENED: Final = 5_000
_PURPOSE: Final = "vault.find_part"
_MASK_SIGNS: Final = str.maketrans("", "", "*＊•·xX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Who a search found.

    Attributes:
        people: persons with a value that fits; records whose person nobody knows are counted in `unowned` only.
        opened: records that were opened inside the vault to compare; those that shared the tag only are not told.
    """

    people: frozenset[UUID]
    unowned: int
    opened: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartIndexSummary:
    """One generation of an index, dropped ones included."""

    name: IndexName
    generation: int
    bits: int
    state: PartIndexState
    records: int
    began_at: datetime
    ready_at: datetime | None
    dropped_at: datetime | None


def find_people(name: IndexName, said: Sensitive[str]) -> Matches:
    """Return the persons whose value has this part. Cost: one index look-up, and opening those who share its tag.

    Raises:
        ElementNotIndexedError, PartNotSearchableError: no index of it stands complete, or the question does not fit.
        SearchTooWideError: too many share the tag.
        SealedValueTamperedError: a record does not open where it stands; the alarm is recorded.
    """
    text = said.reveal_for(_PURPOSE)
    if name.part is Part.WHOLE:
        return _matches(find_records(name.element, said), opened=0)
    if name.part is Part.BOTH_ENDS:
        text = text.translate(_MASK_SIGNS)
    with transaction.atomic(), store.translated():
        part_tags.lock_shared()
        index = next((one for one in part_tags.standing(name) if one.state is PartIndexState.READY), None)
        if index is None:
            raise PartNotSearchableError(f"no index of {name.part.value} of {name.element.value} stands complete")
        normalised = normalise_for_index(name.element.value, text)
        if flaw := said_flaw(name.part, normalised):
            raise PartNotSearchableError(f"text: {flaw}")
        tag = part_tags.tag_of_part(keys.keyring(), index, normalised)
        sharing = PartTag.objects.filter(index_id=index.index_id, tag=tag, record__state__in=SHOWN)
        candidates = list(sharing.order_by("record_id").values_list("record_id", flat=True)[: MOST_OPENED + 1])
    if len(candidates) > MOST_OPENED:
        raise SearchTooWideError(f"text: more than {MOST_OPENED} records share this part; ask for more of the value")
    opened = open_stored(keys.keyring(), store.by_ids(candidates))
    fitting = [
        record_id
        for record_id, clear in opened.items()
        if part_of(name.part, normalise_for_index(name.element.value, clear.decode("utf-8"))) == normalised
    ]
    return _matches(fitting, opened=len(opened))


def searchable() -> list[IndexName]:
    """Return the parts whose index stands complete."""
    rows = PartIndex.objects.filter(state=PartIndexState.READY.value).order_by("element", "part")
    return [
        IndexName(element=Element(element), part=Part(part))
        for element, part in rows.values_list("element", "part").distinct()
    ]


def part_indexes() -> list[PartIndexSummary]:
    """Return every generation of every index, the latest first."""
    with store.translated():
        return [
            PartIndexSummary(
                name=IndexName(element=Element(row.element), part=Part(row.part)),
                generation=row.generation,
                bits=row.bits,
                state=PartIndexState(row.state),
                records=int(row.measures["records"]),
                began_at=row.began_at,
                ready_at=row.ready_at,
                dropped_at=row.dropped_at,
            )
            for row in PartIndex.objects.order_by("element", "part", "-generation")
        ]


def _matches(record_ids: Iterable[UUID], *, opened: int) -> Matches:
    with store.translated():
        owners = list(Record.objects.filter(record_id__in=list(record_ids)).values_list("person_ref", flat=True))
    people = frozenset(owner for owner in owners if owner is not None)
    return Matches(people=people, unowned=sum(owner is None for owner in owners), opened=opened)
