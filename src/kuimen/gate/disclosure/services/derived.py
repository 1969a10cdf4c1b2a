"""What an identity number tells without naming anybody: age, sex and area. The number itself stays behind the door."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from kuimen.foundation.identifiers import RecordId
from kuimen.gate.disclosure.services.bulk import bulk_for_system

_SIGNS: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Facts of one person by which several may be grouped.

    Attributes:
        age: whole years on the day asked about.
        is_man: by the order number.
        area: six digits, of the place that issued the number.
    """

    age: int
    is_man: bool
    area: str


def derived_for_system(
    purpose: str, record_ids: Collection[UUID], *, procedure: str, today: date
) -> Mapping[RecordId, Derived]:
    """Open identity numbers for a registered procedure and return what is derived from each; others are left out.

    Raises:
        As :func:`~kuimen.gate.disclosure.services.bulk.bulk_for_system`.
    """
    found: dict[RecordId, Derived] = {}
    for record_id, value in bulk_for_system(purpose, record_ids, procedure=procedure):
        digits = value.reveal_for(procedure)
        if len(digits) == _SIGNS:
            born = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
            found[record_id] = Derived(
                age=today.year - born.year - ((today.month, today.day) < (born.month, born.day)),
                is_man=int(digits[16]) % 2 == 1,
                area=digits[:6],
            )
    return found
