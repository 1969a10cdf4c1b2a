"""What can be wrong with a table that is handed in."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError, UnavailableError


class BulkColumnError(InvalidInputError):
    """A column that was named is not in the table, or is not of a type that the call takes."""

    code: ClassVar[str] = "bulk.column"


class BulkEngineError(UnavailableError):
    """The engine (DuckDB, pandas, Spark) is not installed; install the extra that the message names."""

    code: ClassVar[str] = "bulk.engine"
