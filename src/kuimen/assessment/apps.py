"""Django registration of the assessment room."""

from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    """Controls run, evidence gathered, verdicts given."""

    name = "kuimen.assessment"
    label = "assessment"
    verbose_name = "合规评估"
    default_auto_field = "django.db.models.BigAutoField"
