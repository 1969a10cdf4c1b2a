"""Django registration of the documents room."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Rules, operating procedures, plans, and the texts that customers are shown."""

    name = "kuimen.governance.documents"
    label = "documents"
    verbose_name = "制度文本"
    default_auto_field = "django.db.models.BigAutoField"
