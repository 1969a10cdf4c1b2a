"""Django registration of the exchange room."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Partners' certificates, seen nonces, kept messages."""

    name = "kuimen.gate.exchange"
    label = "exchange"
    verbose_name = "机构间数据交换"
    default_auto_field = "django.db.models.BigAutoField"
