"""The URL tree: the API under /api/, the console everywhere else."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("kuimen.entrypoints.api.urls")),
    path("", include("kuimen.entrypoints.console.urls")),
]
