"""Django registration of the protection room."""

from django.apps import AppConfig


class ProtectionConfig(AppConfig):
    """From clear columns to sealed ones."""

    name = "kuimen.governance.protection"
    label = "protection"
    verbose_name = "数据保护"
    default_auto_field = "django.db.models.BigAutoField"
