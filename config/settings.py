"""Every setting of Almoner; what differs between machines comes from the environment."""

import sys
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=True)
PORT = env.int("PORT", default=8000)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
BASE_URL = env.str("BASE_URL", default=f"http://localhost:{PORT}").rstrip("/")
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname or "localhost", "localhost", "127.0.0.1"]
)
IS_SECURE = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "organisations",
    "ledger",
    "reviews",
    "donations",
    "credits",
    "treasury",
    "webhooks",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "donations.door.answered_at_the_door",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "organisations.sessions.renewed_by_use",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "organisations.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MAIL_TEMPLATES_DIR = env.str("MAIL_TEMPLATES_DIR", default="")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    # The texts of mail, plain and beside the pages: an operator's own come first.
    {
        "NAME": "mail",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*filter(None, [MAIL_TEMPLATES_DIR]), BASE_DIR / "templates" / "mail"],
    },
]


# The database: the application role for everything, the owner role for migrations alone.
def database(variable: str) -> dict[str, Any]:
    """Return Django's description of the database that an environment variable names."""
    url = env.str(variable, default="")
    if not url and sys.argv[1:2] == ["witness"]:  # runs on machines that have nothing else
        return {"ENGINE": "django.db.backends.dummy"}
    if not url:
        raise ImproperlyConfigured(
            f'{variable} is not set. Run commands through `make shell ARGS="manage.py …"`, which '
            "starts the embedded database, or set DATABASE_URL and DATABASE_OWNER_URL (README)."
        )
    description = dict(env.db_url_config(url))
    description["OPTIONS"] = {**description.get("OPTIONS", {}), "pool": POOL}
    description["ENGINE"] = "config.pooled"
    description["DISABLE_SERVER_SIDE_CURSORS"] = True
    return description


POOL = {"min_size": 0, "max_size": 8, "timeout": 10}
DATABASES = {
    "default": database("DATABASE_URL"),
    "owner": database("DATABASE_OWNER_URL") | {"TEST": {"MIRROR": "default"}},
}

# People
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "organisations.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = str
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# An address is proven by the mail that invites or lets apply, or vouched for by the operator; a
# new one by mail.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How often an application is begun from a network address, and how often mailed to one.
ACCOUNT_RATE_LIMITS = {"apply": "20/h/ip", "apply_by_mail": "5/d/key"}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "organisations.forms.SignInForm",
    "reauthenticate": "organisations.forms.ConfirmForm",
    "add_email": "organisations.forms.NewAddressForm",
    "change_password": "organisations.forms.ChangePasswordForm",
    "set_password": "organisations.forms.SetPasswordForm",
    "reset_password": "organisations.forms.ForgottenPasswordForm",
    "reset_password_from_key": "organisations.forms.NewPasswordForm",
}
# Signing in without a password and second factors.
MFA_ADAPTER = "organisations.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Almoner"
MFA_TOTP_TOLERANCE = 1
# Browsers offer passkeys to https and to localhost; a site that is no https is on localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_SECURE
MFA_FORMS = {
    "authenticate": "organisations.forms.SecondStepForm",
    "reauthenticate": "organisations.forms.ConfirmByCodeForm",
    "activate_totp": "organisations.forms.CodeAppForm",
    "add_webauthn": "organisations.forms.PasskeyForm",
}
# Whether staff, and members who move money or manage members, must have a second factor; never
# off over a live Stripe key.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=True)
# Sessions end this long after the last page, the staff's sooner. Behind proxies, say how many add
# to X-Forwarded-For: attempts are counted for each address, and Stripe's may be the only ones
# allowed.
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_SECONDS", default=4 * 60 * 60)
STAFF_SESSION_AGE = env.int("STAFF_SESSION_IDLE_SECONDS", default=30 * 60)
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
# Whom mail is from; mail servers want a domain that is theirs.
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="") or (
    f"Almoner <noreply@{urlsplit(BASE_URL).hostname}>"
)

# Whom donors can write to who are stopped, or have a question that no page answers.
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="") or parseaddr(DEFAULT_FROM_EMAIL)[1]

# What is counted for all web processes together is in the database; what each may forget, in its
# memory. Counters must not be pushed out by many others; all are counted at each write, so those
# that ran out are deleted every night.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "organisations_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# Languages, times, files
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# What browsers may do with our pages: nothing from outside, nothing inline.
SANDBOX_STRIPE_KEY = "sk_test_sandbox"
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="") or SANDBOX_STRIPE_KEY
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="").rstrip("/")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
STRIPE_WEBHOOK_ALLOWED_IPS = env.list("STRIPE_WEBHOOK_ALLOWED_IPS", default=[])
STRIPE_LIVEMODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
USES_STRIPE_SANDBOX = STRIPE_SECRET_KEY == SANDBOX_STRIPE_KEY
STRIPE_CLIENT_ID = env.str("STRIPE_CLIENT_ID", default="") or (
    "ca_sandbox" if USES_STRIPE_SANDBOX else ""
)
CHECKOUT_ORIGIN = STRIPE_API_BASE if USES_STRIPE_SANDBOX else "https://checkout.stripe.com"
# Where organisations set up and connect their accounts; signing in leads on to the dashboard.
CONNECT_ORIGINS = (
    [] if USES_STRIPE_SANDBOX else ["https://connect.stripe.com", "https://dashboard.stripe.com"]
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "worker-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Some forms answer with a redirect to Stripe's pages, which browsers check too.
        "form-action": [SELF, *([CHECKOUT_ORIGIN] if CHECKOUT_ORIGIN else []), *CONNECT_ORIGINS],
    },
}
SECURE_HSTS_SECONDS = 63_072_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE
SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_SSL_REDIRECT = IS_SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_SECURE else None
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^ready$", r"^v1/webhooks/stripe$"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = IS_SECURE
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# Files are streamed to the disk, one a form, and cut off where they become too large.
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["common.uploads.BoundedUploadHandler"]

# The inbox: how long a worker may take over events before another takes them up.
EVENT_LEASE_SECONDS = env.float("EVENT_LEASE_SECONDS", default=20)

# Messages to integrators go to public addresses over https. Only to try them out: whether they may
# also go to this machine and private networks, and without encryption.
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)

# Which lists of sanctions names are compared with (OFAC, EU, UN, UK; docs/sanctions.md), after how
# many days without loading one counts as unavailable, and a yente of your own that is asked too.
SANCTION_LISTS = env.list("SANCTION_LISTS", default=[])
SANCTIONS_MAX_AGE_DAYS = env.int("SANCTIONS_MAX_AGE_DAYS", default=7)
YENTE_URL = env.str("YENTE_URL", default="").rstrip("/")
# Whether applicants' websites are asked if they are there, by the worker, under the same rule.
APPLICANTS_WEBSITES_ARE_ASKED = env.bool("APPLICANTS_WEBSITES_ARE_ASKED", default=False)

# The ledger
LEDGER_HOST = env.str("LEDGER_HOST", default="") or urlsplit(BASE_URL).hostname
LEDGER_KEY_SECRET = env.str("LEDGER_KEY_SECRET", default="") or SECRET_KEY
# Who puts time stamps on the heads log (RFC 3161); nobody where it is empty.
LEDGER_TIMESTAMP_URL = env.str("LEDGER_TIMESTAMP_URL", default="")
# A file of C2SP tlog-policy: the witnesses that are asked, and how many of them are enough.
LEDGER_WITNESS_POLICY = env.str("LEDGER_WITNESS_POLICY", default="")

# The API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["organisations.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["common.api.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "common.api.handle_exception",
    "UNAUTHENTICATED_USER": None,
    # `?format=` is the export's own parameter.
    "URL_FORMAT_OVERRIDE": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Almoner",
    "DESCRIPTION": "Donations, and the public ledger that anyone can verify.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "WEBHOOKS": [
        f"webhooks.api.described.{name}"
        for name in (
            "DONATION_PAID",
            "DONATION_FAILED",
            "DONATION_SETTLED",
            "DONATION_REFUNDED",
            "REFUND_FAILED",
            "DISPUTE_OPENED",
            "DISPUTE_WON",
            "PAYOUT_ARRIVED",
            "ENTRY_APPENDED",
        )
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.schema.add_problems",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "common.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {"almoner": {"level": "INFO"}},
}
