"""Django registration of the approvals room."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Two people for one deed."""

    name = "kuimen.gate.approvals"
    label = "approvals"
    verbose_name = "双人复核"
    default_auto_field = "django.db.models.BigAutoField"
