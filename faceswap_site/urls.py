"""The URLs of the whole site."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from swaps.api.views import no_api
from swaps.views.health import healthz

handler500 = "swaps.views.failures.server_error"
site: list[URLPattern | URLResolver] = [
    path("", include("swaps.urls")),
    path("face/", include("swaps.api.urls")),
    path("face", no_api),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]
# The path of SITE_URL is a prefix here, so that every thread of every process makes the same links.
urlpatterns = [path(f"{settings.SITE_PATH[1:]}/", include(site))] if settings.SITE_PATH else site

handler400 = "swaps.views.errors.bad_request"
handler429 = "swaps.views.errors.too_many_requests"  # allauth looks for it here
