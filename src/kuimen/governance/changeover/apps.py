"""Django registration of the changeover room."""

from django.apps import AppConfig


class ChangeoverConfig(AppConfig):
    """From clear columns to sealed ones in the same table."""

    name = "kuimen.governance.changeover"
    label = "changeover"
    verbose_name = "在线换列"
    default_auto_field = "django.db.models.BigAutoField"
