"""Django settings of one installation: everything an operator may change comes from its home or the environment."""

import secrets
import sys
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from kuimen.entrypoints.installation import config, servers
from kuimen.entrypoints.installation.home import InstallationHome

KUIMEN_HOME = InstallationHome.locate()
_configuration = config.load(KUIMEN_HOME)
KUIMEN_INSTITUTION_ID = _configuration.institution_id
KUIMEN_INSTITUTION_NAME = _configuration.institution_name
KUIMEN_CURRENCY = _configuration.currency
KUIMEN_RULE_DIR = KUIMEN_HOME.rules  # the institution's own rules for text; it need not exist
KUIMEN_OVERLAY = _configuration.overlay  # "" in production, "fictitious" in demonstrations and tests
KUIMEN_CHECKPOINT_DIR = KUIMEN_HOME.checkpoints
KUIMEN_SHRED_DIR = KUIMEN_HOME.shreds
KUIMEN_ROOT_KEY = KUIMEN_HOME.root_key
KUIMEN_REPORT_DIR = KUIMEN_HOME.reports

DEBUG = False
ALLOWED_HOSTS = list(_configuration.allowed_hosts)
_secret_file = KUIMEN_HOME.credentials / "session_secret"
SECRET_KEY = _secret_file.read_text(encoding="ascii") if _secret_file.is_file() else secrets.token_urlsafe(48)

INSTALLED_APPS = [
    "kuimen.entrypoints.console",  # first: its templates stand in front of the libraries' own
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    "ninja",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "kuimen.gate.audit",
    "kuimen.gate.keys",
    "kuimen.gate.access",
    "kuimen.gate.approvals",
    "kuimen.gate.consent",
    "kuimen.gate.vault",
    "kuimen.gate.tokens",
    "kuimen.gate.disclosure",
    "kuimen.gate.exchange",
    "kuimen.gate.retention",
    "kuimen.ledger.customers",
    "kuimen.ledger.loans",
    "kuimen.governance.inventory",
    "kuimen.governance.protection",
    "kuimen.governance.changeover",
    "kuimen.governance.documents",
    "kuimen.governance.releases",
    "kuimen.scenarios.collections",
    "kuimen.assessment",
    "kuimen.entrypoints.api",
    "kuimen.entrypoints.worker",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "kuimen.entrypoints.api.middleware.ApiAnswerMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kuimen.gate.access.middleware.StaffSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "kuimen.entrypoints.console.problems.ProblemMiddleware",
]

ROOT_URLCONF = "kuimen.entrypoints.installation.urls"
WSGI_APPLICATION = "kuimen.entrypoints.installation.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kuimen.entrypoints.console.context.page",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": servers.django_database(KUIMEN_HOME, servers.APPLICATION, servers.MAIN_DATABASE),
    "keys": servers.django_database(KUIMEN_HOME, servers.KEYS, servers.KEYS_DATABASE),
}
DATABASE_ROUTERS = ["kuimen.entrypoints.installation.router.KeysRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "kuimen_cache"}}

AUTH_USER_MODEL = "access.Staff"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("staff_no", "display_name")},
    },
]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "staff_no"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "kuimen.gate.access.adapters.StaffAccountAdapter"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip"}  # per account the access room counts by itself
MFA_ADAPTER = "kuimen.gate.access.adapters.StaffMFAAdapter"
MFA_FORMS = {
    "authenticate": "kuimen.gate.access.forms.StaffAuthenticateForm",
    "reauthenticate": "kuimen.gate.access.forms.StaffReauthenticateForm",
    "activate_totp": "kuimen.gate.access.forms.StaffActivateForm",
}
MFA_REAUTHENTICATION_REQUIRED = False  # the one thing it guards, taking the second factor away, is refused anyway
MFA_SUPPORTED_TYPES = ["totp"]
MFA_TOTP_ISSUER = "夔门 Kuimen"
LOGIN_REDIRECT_URL = "/"

SESSION_ENGINE = "kuimen.gate.access.session_store"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True  # the half hour is of idleness
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _configuration.behind_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _configuration.behind_https else None
SECURE_HSTS_SECONDS = 31_536_000 if _configuration.behind_https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}

LANGUAGE_CODE = _configuration.language
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = _configuration.mail_host, _configuration.mail_port, 15
EMAIL_USE_TLS, EMAIL_USE_SSL = (_configuration.mail_security == one for one in ("starttls", "tls"))
_mail_password = KUIMEN_HOME.credentials / "mail_password"
EMAIL_HOST_USER = _configuration.mail_user
EMAIL_HOST_PASSWORD = _mail_password.read_text(encoding="utf-8").strip() if _mail_password.is_file() else ""
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _configuration.mail_from
KUIMEN_ALERT_RECIPIENTS = _configuration.alert_recipients if _configuration.mail_host else ()

STATIC_URL = "/static/"
_FRONTEND = Path(sys.prefix) / "frontend" / "node_modules"  # set-up installs it there; nothing of it is committed
STATICFILES_DIRS = [
    (name, str(_FRONTEND / folder))
    for name, folder in (
        ("tabler", "@tabler/core/dist"),
        ("tabler-icons", "@tabler/icons-webfont/dist"),
        ("echarts", "echarts/dist"),
        ("htmx", "htmx.org/dist"),
    )
    if (_FRONTEND / folder).is_dir()
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SILENCED_SYSTEM_CHECKS: list[str] = []
