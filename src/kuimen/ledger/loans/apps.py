"""Django registration of the loans room."""

from django.apps import AppConfig


class LoansConfig(AppConfig):
    """Facilities, loans, schedules, transactions."""

    name = "kuimen.ledger.loans"
    label = "loans"
    verbose_name = "贷款台账"
    default_auto_field = "django.db.models.BigAutoField"
