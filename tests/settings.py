"""The site's settings for tests, in a folder of their own: nothing of a developer's is touched.

``TEST_ON=postgresql`` runs the suite on the server that ``TEST_DATABASE_URL`` names.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Compiling takes half of the time of collecting the tests, and a tenth of each start of a site.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_root = Path(__file__).resolve().parent.parent
_var = Path(tempfile.mkdtemp(prefix="faceswap-test-"))
(_var / "static").mkdir()
atexit.register(shutil.rmtree, _var, ignore_errors=True)

os.environ.setdefault("FACESWAP_MODELS_DIR", str(_root / "var" / "models"))
os.environ["FACESWAP_VAR"] = str(_var)
for _name in (
    "AWS_S3_ADDRESSING_STYLE",
    "AWS_S3_ENCRYPTION",
    "AWS_S3_ENDPOINT_URL",
    "AWS_S3_KMS_KEY_ID",
    "AWS_S3_PUBLIC_ENDPOINT_URL",
    "AWS_S3_REGION_NAME",
    "AWS_SESSION_TOKEN",
    "AWS_STORAGE_BUCKET_NAME",
    "BEHIND_PROXY",
    "DEBUG",
    "EMAIL_HOST",
    "FACESWAP_ACCOUNT_MB",
    "FACESWAP_API_CALLS_PER_MINUTE",
    "FACESWAP_API_FREE_SWAPS",
    "FACESWAP_API_KEY",
    "FACESWAP_API_KEY_FILE",
    "FACESWAP_API_PROVIDER",
    "FACESWAP_API_URL",
    "FACESWAP_BAD_RESULT_REFUNDS",
    "FACESWAP_CALLBACK_DEADLINE",
    "FACESWAP_DECODE_MB",
    "FACESWAP_FAILED_HOURS",
    "FACESWAP_FETCH_ALLOW",
    "FACESWAP_FORMS_PER_MINUTE",
    "FACESWAP_GUEST_SWAPS",
    "FACESWAP_HOSTED_EXCHANGE",
    "FACESWAP_HOSTED_IN_FLIGHT",
    "FACESWAP_HOSTED_KEY",
    "FACESWAP_HOSTED_KEY_FILE",
    "FACESWAP_HOSTED_MAX_RESULT_MB",
    "FACESWAP_HOSTED_PAUSE_SECONDS",
    "FACESWAP_HOSTED_RESULT_HOSTS",
    "FACESWAP_HOSTED_RESULT_SECONDS",
    "FACESWAP_HOSTED_TIMEOUT_SECONDS",
    "FACESWAP_HOSTED_URL",
    "FACESWAP_MAX_BATCH",
    "FACESWAP_MIN_FREE_MB",
    "FACESWAP_PROVIDER",
    "FACESWAP_TRUSTED_PROXIES",
    "SITE_URL",
):
    os.environ[_name] = ""  # empty counts as unset, and wins over a developer's .env
os.environ["DATABASE_URL"] = (
    os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/test")
    if os.environ.get("TEST_ON") == "postgresql"
    else ""
)

from faceswap_site.settings import *  # noqa: E402, F403
from faceswap_site.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in real life: several threads and processes look at it.
    DATABASES["default"]["TEST"] = {"NAME": str(_var / "test.sqlite3")}
else:
    DATABASES["default"]["ENGINE"] = "tests.postgresql"
    DATABASES["default"]["TEST"] = {"NAME": f"faceswap_test_{os.getpid()}"}  # runs side by side
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
