"""Django registration of the disclosure room."""

from django.apps import AppConfig


class DisclosureConfig(AppConfig):
    """The only door to a value."""

    name = "kuimen.gate.disclosure"
    label = "disclosure"
    verbose_name = "披露"
    default_auto_field = "django.db.models.BigAutoField"
