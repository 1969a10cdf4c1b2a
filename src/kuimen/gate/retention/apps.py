"""Django registration of the retention room."""

from django.apps import AppConfig
from typing_extensions import override


class RetentionConfig(AppConfig):
    """When what is known of a person ends, and the proof that it ended."""

    name = "kuimen.gate.retention"
    label = "retention"
    verbose_name = "留存与销毁"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        """Replay the shred ledger at every unlock, before anything can be opened."""
        from kuimen.gate.keys import services as keys  # noqa: PLC0415 - models must be loaded first
        from kuimen.gate.retention.services import replaying  # noqa: PLC0415

        keys.register_unlock_guard(replaying.before_opening)
