"""Django's settings, read from the environment by :mod:`wedsync.env`."""

from datetime import timedelta
from pathlib import Path

from wedsync import env, logs
from wedsync.database.connection_settings import database

DEBUG = env.DEBUG.read()
SECRET_KEY = env.DJANGO_SECRET_KEY.read()
SECRET_KEYS = env.SECRET_KEYS.read()
ALLOWED_HOSTS = list(env.ALLOWED_HOSTS.read())
PUBLIC_URL = env.PUBLIC_URL.read().rstrip("/")
SMTP_NAME = env.SMTP_NAME.read().strip()
WEDSYNC_HOME = Path(env.HOME.read())

REDIS_URL = env.REDIS_URL.read()
BROKER_URL = env.BROKER_URL.read() or REDIS_URL
CHANNEL_LAYER_URL = env.CHANNEL_LAYER_URL.read() or REDIS_URL
BREAKER_URL = env.BREAKER_URL.read() or REDIS_URL
STATEMENT_SECONDS = env.STATEMENT.read()
DATABASES = {"default": database(env.DATABASE_URL.read())}

CREDENTIALS_ALLOWED = env.CREDENTIALS_ALLOWED.read()
OUTBOUND_ALLOW = env.OUTBOUND_ALLOW.read()
RETRY_QUICK_SECONDS = env.RETRY_QUICK.read()
RETRY_DURABLE_SECONDS = env.RETRY_DURABLE.read()
CALL_DEADLINE_SECONDS = env.CALL_DEADLINE.read()
URGENT_DEADLINE_SECONDS = env.URGENT_DEADLINE.read()
LEASE_SECONDS = env.LEASE.read()
URGENT_LEASE_SECONDS = env.URGENT_LEASE.read()
STATUS_WAIT_SECONDS = env.STATUS_WAIT.read()
URGENT_STATUS_WAIT_SECONDS = env.URGENT_STATUS_WAIT.read()
ESCALATION_SECONDS = env.ESCALATION.read()
INCIDENT_PAUSE_SECONDS = env.INCIDENT_PAUSE.read()
ASSUME_WEDDING_SECONDS = env.ASSUME_WEDDING.read()
STAFF_CALL_SECONDS = env.STAFF_CALL.read()
NOBODY_REACHED_SECONDS = env.NOBODY_REACHED.read()
SELF_TEST_HOUR = env.SELF_TEST_HOUR.read()
DIGEST_SECONDS = env.DIGEST_WINDOW.read()
COLLAPSE_SECONDS = env.COLLAPSE_WINDOW.read()
VAPID_PRIVATE_KEY = env.VAPID_PRIVATE_KEY.read()
VAPID_CONTACT = env.VAPID_CONTACT.read()
PUSH_HOSTS = env.PUSH_HOSTS.read()
GRAPH_VERSION = env.GRAPH_VERSION.read()
TURN_SECONDS = env.TURN.read()
WORKER_THREADS = env.WORKER_THREADS.read()
VISIBILITY_TIMEOUT_SECONDS = env.VISIBILITY_TIMEOUT.read()
SWEEP_SECONDS = env.SWEEP_SECONDS.read()
SWEEP_OVERDUE_SECONDS = env.SWEEP_OVERDUE.read()
SWEEP_AGAIN_SECONDS = env.SWEEP_AGAIN.read()
BREAKER_FAILURES = env.BREAKER_FAILURES.read()
BREAKER_OPEN_SECONDS = env.BREAKER_OPEN.read()
BREAKER_OPEN_MAX_SECONDS = env.BREAKER_OPEN_MAX.read()
BREAKER_WINDOW_SECONDS = env.BREAKER_WINDOW.read()
BREAKER_RATE = env.BREAKER_RATE.read()
BREAKER_VOLUME = env.BREAKER_VOLUME.read()
BREAKER_PROBES = env.BREAKER_PROBES.read()
BREAKER_CLOSING = env.BREAKER_CLOSING.read()
LIMIT_PER_ADDRESS = env.LIMIT_PER_ADDRESS.read()
LIMIT_PER_CONNECTION = env.LIMIT_PER_CONNECTION.read()
LIMIT_PER_KEY = env.LIMIT_PER_KEY.read()
LIMIT_PER_SOCKET = env.LIMIT_PER_SOCKET.read()
LIMIT_TICKETS = env.LIMIT_TICKETS.read()
LIMIT_EMERGENCIES = env.LIMIT_EMERGENCIES.read()
LIMIT_PUBLISHED = env.LIMIT_PUBLISHED.read()
BODY_LARGEST_BYTES = env.BODY_LARGEST.read()
IMPORT_LARGEST_BYTES = env.IMPORT_LARGEST.read()
BODIES_AT_ONCE_BYTES = env.BODIES_AT_ONCE.read()
BODY_IDLE_SECONDS = env.BODY_IDLE.read()
BODY_SLOWEST_BYTES = env.BODY_SLOWEST.read()
REQUEST_SECONDS = env.REQUEST_SECONDS.read()
TRUSTED_PROXIES = env.TRUSTED_PROXIES.read()
TICKET_SECONDS = env.TICKET_SECONDS.read()
FOLLOW_SECONDS = env.FOLLOW_SECONDS.read()
SLOW_READER_SECONDS = env.SLOW_READER_SECONDS.read()
STREAM_SECONDS = env.STREAM_SECONDS.read()
LIVE_ORIGINS = env.LIVE_ORIGINS.read()
PING_SECONDS = env.PING_SECONDS.read()
DRAIN_SECONDS = env.DRAIN_SECONDS.read()
SOCKETS_PER_KEY = env.SOCKETS_PER_KEY.read()
SOCKETS_PER_ADDRESS = env.SOCKETS_PER_ADDRESS.read()
SOCKETS_SPARED_NETWORKS = env.SOCKETS_SPARED_NETWORKS.read()
SOCKETS_PER_PROCESS = env.SOCKETS_PER_PROCESS.read()
IDLE_SOCKET_SECONDS = env.IDLE_SOCKET_SECONDS.read()
HEALTH_SECONDS = env.HEALTH_SECONDS.read()
HEALTH_WINDOW_SECONDS = env.HEALTH_WINDOW.read()
ECHO_SECONDS = env.ECHO.read()
LOOP_SECONDS = env.LOOP.read()
LOOP_TURNS = env.LOOP_TURNS.read()
HEARTBEAT_SECONDS = env.HEARTBEAT_SECONDS.read()
WATCHDOG_URL = env.WATCHDOG_URL.read()
METRICS_TOKEN = env.METRICS_TOKEN.read()
SANDBOX_URL = env.SANDBOX_URL.read().rstrip("/")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "axes",
    "wedsync.weddings",
    "wedsync.live",
    "integrations",
    "notifications",
    "webhooks",
    "wedsync.api",
    "wedsync.console",
    "wedsync.couple",
    "wedsync.demo",
]
MIDDLEWARE = [
    "wedsync.api.middleware.spellings.BothSpellings",
    "wedsync.api.middleware.spellings.EncryptedOnly",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "wedsync.api.middleware.policies.PagePolicies",
    "wedsync.api.middleware.refusals.UnreadableQueries",
    "wedsync.api.middleware.refusals.SlowPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last, as its documentation requires
]
ROOT_URLCONF = "wedsync.urls"
WSGI_APPLICATION = "wedsync.asgi.django"
ASGI_APPLICATION = "wedsync.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# The sign-in guard locks a user name and an address together, never a user alone
# (docs/staff/admin.md, "Signing in").
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "wedsync.api.middleware.sign_in.address_of"
AXES_LOCKOUT_CALLABLE = "wedsync.api.middleware.refusals.sign_in_locked"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # its rows belong to no organization
AXES_VERBOSE = False
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "console"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["wedsync.date_formats"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
_HERE = Path(__file__).resolve().parent
STATICFILES_DIRS = [_HERE / "static", ("live", _HERE.parent / "clients" / "javascript")]
WHITENOISE_USE_FINDERS = True

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "wedsync_session"
SECURE = env.SECURE.read()
if SECURE:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^api/(?!docs/)"]  # refused instead: wedsync/api/middleware/spellings.py
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "wedsync.live.fan_out.layer.PatientRedisLayer",
        "CONFIG": {"hosts": [CHANNEL_LAYER_URL], "prefix": "wedsync:live", "capacity": 1000, "group_expiry": 120},
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["wedsync.api.keys.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "wedsync.api.keys.permissions.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["wedsync.api.requests.parsing.StrictJsonParser"],
    "DEFAULT_FILTER_BACKENDS": ["wedsync.api.requests.filtering.StrictFilters"],
    "DEFAULT_PAGINATION_CLASS": "wedsync.api.requests.pages.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "wedsync.api.openapi.schema.Description",
    "EXCEPTION_HANDLER": "wedsync.api.problems.answer",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # ?format= is unknown like any other parameter
}
SPECTACULAR_SETTINGS = {
    "TITLE": "WedSync",
    "DESCRIPTION": "The API of WedSync. What it promises, and every error, is in docs/developers/api.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayRequestDuration": True, "tryItOutEnabled": False},
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/(integrations/)?",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "wedsync.api.openapi.streams.describe"],
    "ENUM_NAME_OVERRIDES": {
        "DeliveryState": "integrations.states.State",
        "SystemStatus": "integrations.models.System.Status",
        "SystemKind": "integrations.models.System.Kind",
        "ReferenceKind": "integrations.models.ExternalReference.Kind",
        "RouteTarget": "integrations.models.Route.Target",
        "RoutePriority": "integrations.models.routes.PRIORITIES",
        "ConditionEffect": "integrations.rules.conditions.Effect",
        "EventEffect": "wedsync.live.models.ChannelEvent.Effect",
        "IncidentState": "notifications.models.Incident.State",
        "NotificationState": "notifications.models.Notification.State",
        "PersonChannel": "wedsync.weddings.models.ContactChannel",
        "Priority": "wedsync.queues.Priority",
    },
    "TAGS": [
        {"name": "weddings", "description": "Weddings, forms and journeys; what happens is published."},
        {"name": "channels", "description": "Live channels."},
        {"name": "channel-config", "description": "Where events go: routes, and dry runs of them."},
        {"name": "systems", "description": "Connected systems."},
        {"name": "connections", "description": "The connections through which systems send us events."},
        {"name": "references", "description": "Other systems' ids for our weddings and contacts."},
        {"name": "events", "description": "What happened."},
        {"name": "deliveries", "description": "What goes out, to whom, and with what result."},
        {"name": "incidents", "description": "Emergencies and drills: raise, acknowledge and resolve them."},
        {"name": "notifications", "description": "Who was to be told of an event, whether they were, and if not, why."},
        {"name": "contacts", "description": "What people want to receive."},
        {"name": "health", "description": "The health of systems and queues."},
    ],
}
UNFOLD = {
    "SITE_TITLE": "WedSync",
    "SITE_HEADER": "WedSync",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}console/icon.svg"}],
    "SHOW_HISTORY": True,
    "GLOBAL_CALLBACK": "wedsync.weddings.tenant_admin.recent_actions.site_context",
    "SCRIPTS": [f"{STATIC_URL}weddings/dates_in_words.js"],
}
LOGGING_CONFIG = None  # wedsync.logs configures Django, Celery and uvicorn alike
logs.configure(env.LOG_LEVEL.read(), file=env.LOG_FILE.read(), most_bytes=env.LOG_BYTES.read())
