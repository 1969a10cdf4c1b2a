"""The API's URL: everything of version 1 under `v1/`, OpenAPI at `v1/openapi.json`."""

from django.urls import path

from kuimen.entrypoints.api.v1 import api

urlpatterns = [path("v1/", api.urls)]
