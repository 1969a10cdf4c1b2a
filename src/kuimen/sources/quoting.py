"""A cursor for names nobody expects: an identifier or literal may hold a per cent sign, which is no placeholder."""

from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.abc import Params, Query
from typing_extensions import override


class QuotingCursor(psycopg.Cursor[Any]):
    """Doubles per cent signs inside composed identifiers and literals whenever parameters are passed."""

    @override
    def execute(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Execute as psycopg does; see its documentation for arguments and errors."""
        if params is not None and isinstance(query, sql.Composable):
            return super().execute(_rendered(query, self.connection), params, prepare=prepare, binary=binary)
        return super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[misc,arg-type]  # psycopg's own union


def _rendered(query: sql.Composable, connection: psycopg.Connection[Any]) -> bytes:
    if isinstance(query, sql.Composed):
        return b"".join(_rendered(part, connection) for part in query)
    text = query.as_bytes(connection)
    return text if isinstance(query, sql.SQL | sql.Placeholder) else text.replace(b"%", b"%%")
