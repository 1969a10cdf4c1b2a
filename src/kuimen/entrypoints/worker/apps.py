"""The worker as a Django app, so that procrastinate finds its tasks."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """Background jobs; no tables of its own."""

    name = "kuimen.entrypoints.worker"
    label = "worker"
    verbose_name = "后台任务"
