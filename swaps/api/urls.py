"""URLs of the API, below ``/face/``."""

from django.urls import path, re_path

from swaps.api import views
from swaps.api.description.openapi import NOT_OFFERED

urlpatterns = [
    path("swap", views.swap, name="api_swap"),
    path("detect", views.detect, name="api_detect"),
    path("tasks", views.tasks, name="api_tasks"),
    path("openapi.json", views.description, name="api_description"),
    *(path(name, views.not_implemented) for name in NOT_OFFERED),
    re_path("", views.no_api),
]
