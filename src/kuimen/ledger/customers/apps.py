"""Django registration of the customers room."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Customers by reference."""

    name = "kuimen.ledger.customers"
    label = "customers"
    verbose_name = "客户引用"
    default_auto_field = "django.db.models.BigAutoField"
