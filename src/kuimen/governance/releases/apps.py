"""Django registration of the releases room."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """What leaves for analysis, and the test data that were made."""

    name = "kuimen.governance.releases"
    label = "releases"
    verbose_name = "分析数据发布"
    default_auto_field = "django.db.models.BigAutoField"
