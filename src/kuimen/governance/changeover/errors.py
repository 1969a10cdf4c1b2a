"""What can go wrong while a live table changes over to sealed columns."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, TamperError, UnavailableError


class UnknownChangeoverError(NotFoundError):
    """No such changeover is planned."""

    code: ClassVar[str] = "changeover.unknown"


class ChangeoverTransitionError(ConflictError):
    """The changeover is not in a state that allows this step."""

    code: ClassVar[str] = "changeover.transition"


class ChangeoverBlockedError(ConflictError):
    """The plan names something that stands in the way; nothing was changed."""

    code: ClassVar[str] = "changeover.blocked"


class ChangeoverOpenError(ConflictError):
    """A changeover of this table is under way already."""

    code: ClassVar[str] = "changeover.open"


class TableBusyError(ConflictError):
    """The application held the table or a row for too long; nothing is lost, run the step again."""

    code: ClassVar[str] = "changeover.busy"


class DoubleValuesError(ConflictError):
    """A unique column holds values that are equal once they are written in one way."""

    code: ClassVar[str] = "changeover.double_values"


class ColumnChoiceError(InvalidInputError):
    """The columns are not given as NAME=ELEMENT, or an element does not exist."""

    code: ClassVar[str] = "changeover.column_choice"


class TableChoiceError(InvalidInputError):
    """The source has no such table, or is no PostgreSQL database."""

    code: ClassVar[str] = "changeover.table_choice"


class UnequalValuesError(TamperError):
    """A sealed value does not open to the clear one beside it; such rows were put back to be sealed again."""

    code: ClassVar[str] = "changeover.unequal"


class ChangeoverStoreError(UnavailableError):
    """Kuimen's own database failed in the middle; nothing is lost, run the same step again."""

    code: ClassVar[str] = "changeover.store"
