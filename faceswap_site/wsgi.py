"""The WSGI application that gunicorn serves."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from swaps.runtime import request_slots

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faceswap_site.settings")


def restore_site_path(site_path: str, application: Any) -> Any:
    """Wrap an application to add the path of SITE_URL again when a proxy has removed it."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if not f"{path}/".startswith(f"{site_path}/"):
            environ["PATH_INFO"] = site_path + path
        return application(environ, start_response)

    return serve if site_path else application


application = request_slots.limit_concurrency(
    restore_site_path(settings.SITE_PATH, get_wsgi_application())
)
