"""What can go wrong in the vault. No message holds a value, a ciphertext or a driver's text."""

from collections.abc import Collection
from typing import ClassVar
from uuid import UUID

from kuimen.foundation.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
    TamperError,
    UnavailableError,
)

_NAMED = 5


class UnknownElementError(InvalidInputError):
    """The element is not in the element table."""

    code: ClassVar[str] = "vault.unknown_element"


class ElementNotSealableError(InvalidInputError):
    """The rule of this element forbids to store it at all, even sealed; destroy it with a record instead."""

    code: ClassVar[str] = "vault.not_sealable"


class ValueRefusedError(InvalidInputError):
    """The value is not text, too long, or cannot be written as UTF-8."""

    code: ClassVar[str] = "vault.value_refused"


class SourceCoordinatesError(InvalidInputError):
    """The source coordinates are incomplete, or two items of one batch share them."""

    code: ClassVar[str] = "vault.source_coordinates"


class ElementNotIndexedError(InvalidInputError):
    """This element has no index: its values are too few or too free to be searched safely."""

    code: ClassVar[str] = "vault.not_indexed"


class RecordNotFoundError(NotFoundError):
    """A record id is not in the vault."""

    code: ClassVar[str] = "vault.record_not_found"


class BoundRecordDiffersError(ConflictError):
    """A bound record already stands at these source coordinates and holds something else."""

    code: ClassVar[str] = "vault.bound_record_differs"


class VaultBusyError(UnavailableError):
    """The vault's database did not do its work: down, out of space, or in conflict with another job."""

    code: ClassVar[str] = "vault.busy"


class RotationUnderWayError(ConflictError):
    """Another process works on the same rotation of the vault; this one stepped back."""

    code: ClassVar[str] = "vault.rotation_under_way"


class RotationInputError(InvalidInputError):
    """A rotation was asked for that makes no sense: a person merged into the same one, an element without an index."""

    code: ClassVar[str] = "vault.rotation_input"


class NotReadyToCutOverError(ConflictError):
    """Records still lack a tag of the new index generation, or a process may still not know it; nothing changed."""

    code: ClassVar[str] = "vault.not_ready_to_cut_over"


class LeakyPartIndexError(DeniedError):
    """The planner refuses this index: what its tags would tell is named in the message, by measure and limit."""

    code: ClassVar[str] = "vault.leaky_index"


class PartIndexStateError(ConflictError):
    """There is no such index in a state in which this can be done."""

    code: ClassVar[str] = "vault.part_index_state"


class PartNotSearchableError(InvalidInputError):
    """No complete index of this part of this element stands, or the question does not fit the part."""

    code: ClassVar[str] = "vault.part_not_searchable"


class SearchTooWideError(InvalidInputError):
    """More records share the tag than one search may open; ask for a longer part."""

    code: ClassVar[str] = "vault.search_too_wide"


class SealedValueTamperedError(TamperError):
    """Sealed values do not open where they stand: altered, or copied from another record, element or person."""

    code: ClassVar[str] = "vault.tampered"

    def __init__(self, record_ids: Collection[UUID], *, flaw: str = "do not open where they stand") -> None:
        """Name the records; the alarm is already in the audit log."""
        named = ", ".join(str(one) for one in sorted(record_ids)[:_NAMED])
        super().__init__(
            f"{len(record_ids)} sealed value(s) {flaw}, first of them {named}; nothing was shown, the alarm is recorded"
        )
        self.record_ids = frozenset(record_ids)


class RowAlteredError(SealedValueTamperedError):
    """The fields of a row are not those that were written last: one was put back, removed or added past the vault."""

    code: ClassVar[str] = "vault.row_altered"

    def __init__(self, record_ids: Collection[UUID], *, elements: Collection[str]) -> None:
        """Name the records and the elements of their rows."""
        named = ", ".join(sorted(elements))
        super().__init__(record_ids, flaw=f"stand in rows that do not fit their seal ({named}): a field was put back")
        self.elements = frozenset(elements)
