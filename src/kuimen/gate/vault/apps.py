"""Django registration of the vault room."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Sealed values."""

    name = "kuimen.gate.vault"
    label = "vault"
    verbose_name = "保险库"
    default_auto_field = "django.db.models.BigAutoField"
