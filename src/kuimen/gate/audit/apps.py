"""Django registration of the audit room."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Entries, sequencer, checkpoints and proofs."""

    name = "kuimen.gate.audit"
    label = "audit"
    verbose_name = "审计日志"
    default_auto_field = "django.db.models.BigAutoField"
