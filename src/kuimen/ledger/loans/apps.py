"""Django registration of the loans room."""

from django.apps import AppConfig
from typing_extensions import override


class LoansConfig(AppConfig):
    """Facilities, loans, schedules, transactions."""

    name = "kuimen.ledger.loans"
    label = "loans"
    verbose_name = "贷款台账"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        """Tell the retention clocks what the ledger knows."""
        from kuimen.gate.retention.facts import register_fact_source  # noqa: PLC0415 - models must be loaded first
        from kuimen.ledger.loans.ends import clock_events  # noqa: PLC0415

        register_fact_source("loans", clock_events)
