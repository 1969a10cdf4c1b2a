"""Django registration of the consent room."""

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    """Legal bases, documents and consent acts."""

    name = "kuimen.gate.consent"
    label = "consent"
    verbose_name = "合法性基础与授权"
    default_auto_field = "django.db.models.BigAutoField"
