"""The URL tree: the API under /api/, the console everywhere else."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path(prefix, include(module))
    for prefix, module in (("api/", "kuimen.entrypoints.api.urls"), ("", "kuimen.entrypoints.console.urls"))
    if find_spec(module) is not None
]
