"""The WSGI application that gunicorn serves."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from swaps.runtime import request_slots

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faceswap_site.settings")


def below(site_path: str, application: Any) -> Any:
    """Puts the path of SITE_URL back before a path from which a proxy has taken it away."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if not f"{path}/".startswith(f"{site_path}/"):
            environ["PATH_INFO"] = site_path + path
        return application(environ, start_response)

    return serve if site_path else application


application = request_slots.limited(below(settings.SITE_PATH, get_wsgi_application()))
