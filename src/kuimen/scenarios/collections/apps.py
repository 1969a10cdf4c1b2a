"""Django registration of the collections scenario."""

from django.apps import AppConfig
from typing_extensions import override


class CollectionsConfig(AppConfig):
    """Post-loan collection."""

    name = "kuimen.scenarios.collections"
    label = "collections"
    verbose_name = "贷后管理"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        """Register the checks that the door asks of this scenario."""
        from kuimen.scenarios.collections import door  # noqa: PLC0415 - models must be loaded first

        door.register()
