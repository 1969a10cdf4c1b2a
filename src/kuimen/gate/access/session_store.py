"""Django's sessions in PostgreSQL, filed under a digest of their key: a copy of the table opens no session."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from typing_extensions import override

from kuimen.gate.access.services.sessions import digest_of_key

KEY_CHARACTERS = 40  # width of Django's column; 160 bits of SM3


def filed_under(session_key: str) -> str:
    """Return the key under which a session lies in the table."""
    return digest_of_key(session_key)[:KEY_CHARACTERS]


class SessionStore(DatabaseStore):
    """The database store with digests for keys. It serves WSGI; the asynchronous methods are not adapted."""

    @override
    def exists(self, session_key: str) -> bool:
        return super().exists(filed_under(session_key))

    @override
    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(filed_under(key))

    @override
    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = filed_under(row.session_key)
        return row

    def _get_session_from_db(self) -> Any:  # noqa: ANN401 - the row of whichever session model is installed
        key = self.session_key
        if key is None:
            return None
        held, self._session_key = key, filed_under(key)
        try:
            return super()._get_session_from_db()  # type: ignore[misc]  # the stubs leave it out
        finally:
            dropped = self.session_key is None  # Django drops the key of a row that is gone
            self._session_key = None if dropped else held
