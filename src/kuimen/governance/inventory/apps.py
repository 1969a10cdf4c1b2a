"""Django registration of the inventory room."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Data sources and assets."""

    name = "kuimen.governance.inventory"
    label = "inventory"
    verbose_name = "数据资产目录"
    default_auto_field = "django.db.models.BigAutoField"
