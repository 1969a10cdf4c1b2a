"""Django registration of the tokens room."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    """Tokens of vault records, each for one partner in one domain."""

    name = "kuimen.gate.tokens"
    label = "tokens"
    verbose_name = "支付标记"
    default_auto_field = "django.db.models.BigAutoField"
