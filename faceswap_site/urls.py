from django.contrib import admin
from django.urls import include, path

from swaps.views.health import healthz

urlpatterns = [
    path("", include("swaps.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]
