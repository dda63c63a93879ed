"""When PostgreSQL is away: not the fault of what was asked, which may be asked again."""

from django.db import InterfaceError, OperationalError

POSTGRES_AWAY = (OperationalError, InterfaceError)
"""It restarts, does not answer or ends a deadlock; or the connection was ended while nobody used it."""
