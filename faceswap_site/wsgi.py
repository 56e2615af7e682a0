"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from swaps import room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faceswap_site.settings")

application = room.limited(get_wsgi_application())
