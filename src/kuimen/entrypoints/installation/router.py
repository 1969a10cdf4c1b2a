"""Send the key tables to their own database and everything else to the main one."""

from typing import Any

from django.db.models import Model

KEYS_APP = "keys"


def _is_key_table(model: type[Model] | Model) -> bool:
    return model._meta.app_label == KEYS_APP  # noqa: SLF001 - documented API of Django in spite of its name


class KeysRouter:
    """Person keys live apart, with short backups, so that erasing one can become final."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:  # noqa: ANN401 - Django's own signature
        """Name the database that holds the model."""
        return "keys" if _is_key_table(model) else "default"

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:  # noqa: ANN401 - Django's own signature
        """Name the database that holds the model."""
        return self.db_for_read(model)

    def allow_relation(self, left: Model, right: Model, **_hints: Any) -> bool:  # noqa: ANN401 - Django's own signature
        """Allow a relation only within one database."""
        return _is_key_table(left) == _is_key_table(right)

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:  # noqa: ANN401 - Django's own signature
        """Create the key tables in `keys` only, and no other table there."""
        return (db == "keys") == (app_label == KEYS_APP)
