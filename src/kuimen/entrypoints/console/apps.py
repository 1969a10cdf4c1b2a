"""The console as a Django app: templates, static files, template tags."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages for people; no tables."""

    name = "kuimen.entrypoints.console"
    label = "console"
    verbose_name = "控制台"
