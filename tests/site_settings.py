"""The settings of the sites that tests start: the site's own, but passwords are hashed quickly.

Those that were hashed by the site's own settings go on working.
"""

from faceswap_site.settings import *  # noqa: F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
