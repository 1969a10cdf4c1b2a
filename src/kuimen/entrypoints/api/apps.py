"""The API as a Django app: it owns the table of idempotency keys."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """HTTP API v1."""

    name = "kuimen.entrypoints.api"
    label = "api"
    verbose_name = "接口"
