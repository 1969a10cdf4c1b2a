"""Django registration of the collections scenario."""

from django.apps import AppConfig


class CollectionsConfig(AppConfig):
    """Post-loan collection."""

    name = "kuimen.scenarios.collections"
    label = "collections"
    verbose_name = "贷后管理"
    default_auto_field = "django.db.models.BigAutoField"
