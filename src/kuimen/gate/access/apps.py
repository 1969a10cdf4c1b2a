"""Django registration of the access room."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """People, posts, roles by post, sign-in and policy."""

    name = "kuimen.gate.access"
    label = "access"
    verbose_name = "访问控制"
    default_auto_field = "django.db.models.BigAutoField"
