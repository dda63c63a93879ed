"""Django's settings for a connection to PostgreSQL."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from wedsync import env
from wedsync.database import sessions


def database(url: str) -> dict[str, Any]:
    """Django's settings for one PostgreSQL, from its URL.

    Raises:
        ConfigurationError: another scheme; WedSync runs only on PostgreSQL (docs/adr/0008).
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise env.ConfigurationError("DATABASE_URL must start with postgresql://; WedSync runs only on PostgreSQL")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "wedsync.database.pooled",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or options.pop("port", "")),
        "MOST_CONNECTIONS": env.DATABASE_CONNECTIONS.read(),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "application_name": f"wedsync {env.PROCESS.read()}",
            **sessions.LIBPQ,
            **options,
        },
    }
