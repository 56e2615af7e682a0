"""The site's settings with bare views, as a baseline for API calls."""

from faceswap_site.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bare_site"
