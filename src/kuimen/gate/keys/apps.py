"""The room of keys. Its tables live in a database of their own, with short backups."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """Registers the room."""

    name = "kuimen.gate.keys"
    label = "keys"
    verbose_name = "密钥"
    default_auto_field = "django.db.models.BigAutoField"
