"""The site's settings, and one other view: what calls of the API are compared with."""

from faceswap_site.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bare_site"
