"""All settings of the site; .env.example explains each of them.

Nothing needs to be set: the defaults are the embedded site (SQLite, files on disk, the database as
queue and cache, the site's own engine), safe for http://127.0.0.1 and closed to the rest.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from faceswap_site import env, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env.load_dotenv(BASE_DIR / ".env")

# --- data folder and address ---------------------------------------------------------------
FACESWAP_VAR = env.folder("FACESWAP_VAR", BASE_DIR / "var")
FACESWAP_VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
SITE_URL = env.url("SITE_URL", "http://127.0.0.1:8000")
_site = urlsplit(SITE_URL)
SITE_PATH = _site.path if _site.path.startswith("/") else ""  # like "/faces"
IS_LOCAL = _site.hostname in {"127.0.0.1", "localhost", "::1"}
IS_HTTPS = _site.scheme == "https"

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret("SECRET_KEY") or secret_key.read_or_create(FACESWAP_VAR / "secret_key")
ALLOWED_HOSTS = sorted(
    {_site.hostname or "", *env.hosts("ALLOWED_HOSTS")} | {"127.0.0.1", "localhost", "[::1]"}
)
CSRF_TRUSTED_ORIGINS = [SITE_URL.removesuffix(SITE_PATH)]

# --- pictures and swaps --------------------------------------------------------------------
FACESWAP_MODELS_DIR = env.folder("FACESWAP_MODELS_DIR", FACESWAP_VAR / "models")
FACESWAP_MAX_UPLOAD_BYTES = env.integer("FACESWAP_MAX_UPLOAD_MB", 20, minimum=1) * 1_000_000
FACESWAP_MAX_PIXELS = env.integer("FACESWAP_MAX_MEGAPIXELS", 50, minimum=1) * 1_000_000
FACESWAP_DECODE_BYTES = (
    env.integer(
        "FACESWAP_DECODE_MB",
        (18 * FACESWAP_MAX_PIXELS + 3 * FACESWAP_MAX_UPLOAD_BYTES) // 1_000_000 + 72,
        minimum=1,
    )
    * 1_000_000
)
FACESWAP_FORMS_PER_MINUTE = env.integer("FACESWAP_FORMS_PER_MINUTE", 20, minimum=1)
FACESWAP_PHOTOS_PER_MINUTE = env.integer("FACESWAP_PHOTOS_PER_MINUTE", 60, minimum=1)
FACESWAP_MAX_BATCH = env.integer("FACESWAP_MAX_BATCH", 20, minimum=1)
FACESWAP_FREE_SWAPS = env.integer("FACESWAP_FREE_SWAPS", 1000)
FACESWAP_GUEST_SWAPS = env.integer("FACESWAP_GUEST_SWAPS", 3)
FACESWAP_BAD_RESULT_REFUNDS = env.integer("FACESWAP_BAD_RESULT_REFUNDS", 3)
FACESWAP_LEASE_SECONDS = env.integer("FACESWAP_LEASE_SECONDS", 60, minimum=1)
FACESWAP_MAX_ATTEMPTS = env.integer("FACESWAP_MAX_ATTEMPTS", 3, minimum=1)
FACESWAP_KEPT_UPLOAD_HOURS = env.integer("FACESWAP_KEPT_UPLOAD_HOURS", 2, minimum=1)
FACESWAP_FAILED_HOURS = env.integer("FACESWAP_FAILED_HOURS", 24, minimum=1)
FACESWAP_MIN_FREE_BYTES = env.integer("FACESWAP_MIN_FREE_MB", 500) * 1_000_000
FACESWAP_ACCOUNT_BYTES = env.integer("FACESWAP_ACCOUNT_MB", 5000) * 1_000_000
FACESWAP_SIGNED_URL_SECONDS = env.integer("FACESWAP_SIGNED_URL_SECONDS", 3600, minimum=60)

# --- the Face Swap API ---------------------------------------------------------------------
FACESWAP_API_FREE_SWAPS = env.integer("FACESWAP_API_FREE_SWAPS", 20)
FACESWAP_API_CALLS_PER_MINUTE = env.integer("FACESWAP_API_CALLS_PER_MINUTE", 300, minimum=1)
FACESWAP_API_MAX_BODY_BYTES = env.integer("FACESWAP_API_MAX_BODY_MB", 10, minimum=1) * 1_000_000
FACESWAP_API_MAX_WAIT_SECONDS = env.integer("FACESWAP_API_MAX_WAIT_SECONDS", 300, minimum=1)
FACESWAP_API_WAITING_CALLS = env.integer("FACESWAP_API_WAITING_CALLS", 200)
FACESWAP_FETCH_ALLOW = env.strings("FACESWAP_FETCH_ALLOW")

# --- who performs swaps: the site's own engine, or a hosted provider -------------------------
FACESWAP_HOSTED_URL = env.url("FACESWAP_HOSTED_URL", "https://api.acedata.cloud")
FACESWAP_HOSTED_KEY = env.secret("FACESWAP_HOSTED_KEY")
FACESWAP_OLD_NAMES = env.old_names()
FACESWAP_PROVIDER = env.text("FACESWAP_PROVIDER", "hosted" if FACESWAP_HOSTED_KEY else "embedded")
FACESWAP_API_PROVIDER = env.text("FACESWAP_API_PROVIDER", "embedded")
FACESWAP_CALLBACK_DEADLINE = env.integer("FACESWAP_CALLBACK_DEADLINE", 120, minimum=1)
# How long the provider's presigned URLs work: longer than every deadline and one resend take.
HOSTED_URL_SECONDS = 6 * FACESWAP_CALLBACK_DEADLINE + 1800
FACESWAP_HOSTED_EXCHANGE = env.flag("FACESWAP_HOSTED_EXCHANGE")
FACESWAP_HOSTED_TIMEOUT_SECONDS = env.integer("FACESWAP_HOSTED_TIMEOUT_SECONDS", 30, minimum=1)
FACESWAP_HOSTED_IN_FLIGHT = env.integer("FACESWAP_HOSTED_IN_FLIGHT", 10, minimum=1)
FACESWAP_HOSTED_PAUSE_SECONDS = env.integer("FACESWAP_HOSTED_PAUSE_SECONDS", 30, minimum=1)
FACESWAP_HOSTED_RESULT_HOSTS = env.strings("FACESWAP_HOSTED_RESULT_HOSTS")
FACESWAP_HOSTED_RESULT_SECONDS = env.integer("FACESWAP_HOSTED_RESULT_SECONDS", 3600, minimum=1)
FACESWAP_HOSTED_MAX_RESULT_BYTES = (
    env.integer("FACESWAP_HOSTED_MAX_RESULT_MB", 60, minimum=1) * 1_000_000
)

# --- the application -----------------------------------------------------------------------
INSTALLED_APPS = [
    "swaps",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "heroicons",
    "template_partials",
]
MIDDLEWARE = [
    "swaps.middleware.trust_known_proxies_only",
    "csp.middleware.CSPMiddleware",  # outside of every layer that may answer
    "swaps.api.middleware.api_error_middleware",
    "swaps.middleware.protect_private_pages",
    "swaps.middleware.refuse_malformed_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "swaps.middleware.CompressPages",  # inside of what serves static files, compressed already
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "swaps.middleware.refuse_endless_bodies",  # no middleware above reads the body
]
ROOT_URLCONF = "faceswap_site.urls"
WSGI_APPLICATION = "faceswap_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {
                "literals": "swaps.api.description.literals",
                "pictures": "swaps.views.picture_urls",
            },
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "swaps.context_processors.provider",
                "swaps.context_processors.mail",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True

# --- database, cache, queue ----------------------------------------------------------------
DATABASES = {
    "default": dj_database_url.parse(
        env.secret("DATABASE_URL", f"sqlite:///{FACESWAP_VAR / 'db.sqlite3'}"),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers and one writer work side by side; IMMEDIATE takes the write lock at the
    # start of a transaction, where SQLite can wait for it (docs/adr/0003).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        " PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;",
    }
CACHES = {
    "default": {
        "BACKEND": "swaps.runtime.database_cache.LastingDatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        # Tasks that talk to other servers may hang, so they have queues of their own.
        "QUEUES": ["default", "fetches", "deliveries", "provider", "mail"],
    }
}

# --- files ---------------------------------------------------------------------------------
STATIC_URL = f"{SITE_PATH}/static/"
STATIC_ROOT = FACESWAP_VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = FACESWAP_VAR / "media"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_HANDLERS = ["swaps.upload_handlers.BoundedUploadHandler"]

_store: dict[str, Any] = {
    "BACKEND": "swaps.storage.DiskStorage",
    "OPTIONS": {"allow_overwrite": True},
}
if AWS_STORAGE_BUCKET_NAME := env.text("AWS_STORAGE_BUCKET_NAME"):
    from faceswap_site import s3

    _store = s3.storage(AWS_STORAGE_BUCKET_NAME, FACESWAP_SIGNED_URL_SECONDS)
STORAGES = {
    "default": _store,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- accounts ------------------------------------------------------------------------------
AUTH_USER_MODEL = "swaps.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "swaps:history"
ACCOUNT_SIGNUP_REDIRECT_URL = "swaps:new"
ACCOUNT_LOGOUT_REDIRECT_URL = "swaps:home"
ACCOUNT_ADAPTER = "swaps.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "swaps.views.forms.accounts.SignupForm",
    "change_password": "swaps.views.forms.accounts.ChangePasswordForm",
    "set_password": "swaps.views.forms.accounts.SetPasswordForm",
    "reset_password": "swaps.views.forms.accounts.ResetPasswordForm",
    "reset_password_from_key": "swaps.views.forms.accounts.NewPasswordForm",
}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "swaps.accounts.tokens.ResetTokenGenerator"  # noqa: S105
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Faceswap] "
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"  # there may be no mail server
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip"}  # and those of swaps/accounts/limits.py
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
SENDS_MAIL = bool(EMAIL_HOST)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Faceswap <noreply@{_site.hostname}>")
EMAIL_BACKEND = (
    "swaps.mail.outbox.OutboxBackend"
    if SENDS_MAIL
    else "django.core.mail.backends.console.EmailBackend"
)

# --- security ------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
# With a path, cookies neither reach another application on the host nor collide with its own.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = SITE_PATH or "/"
SESSION_COOKIE_NAME = "sessionid" + SITE_PATH.replace("/", "_")
CSRF_COOKIE_NAME = "csrftoken" + SITE_PATH.replace("/", "_")
if SITE_PATH:  # the default storage sets a cookie for the whole host
    MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [rf"^{re.escape(SITE_PATH[1:])}/?healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
# HSTS for subdomains and the preload list are the operator's decision.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed (swaps/middleware.py).
FACESWAP_TRUSTED_PROXIES = env.strings("FACESWAP_TRUSTED_PROXIES") or (
    ["127.0.0.0/8", "::1"] if env.flag("BEHIND_PROXY") else []
)
if FACESWAP_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FILES = 5 * FACESWAP_MAX_BATCH  # its form says how many are too many
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:"],  # blob: previews of chosen photos
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"secrets": {"()": "swaps.redaction.HideSecrets"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django_tasks": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
        # It logs a traceback for every scanner with a made-up host; the access log has its 400.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
