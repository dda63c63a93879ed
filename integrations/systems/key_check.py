"""Checks that this process and the database belong together: its keys must decrypt what is stored there.

Two copies with different keys on one database silently break each other: each stores secrets that the other cannot
read. So the first process leaves a check value, and every later one must be able to read it.
"""

import sys

import structlog
from django.conf import settings
from django.db import ProgrammingError, connections, transaction

from integrations.models import ConnectionSecret, KeyCheck, System
from wedsync import vault
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.env import ConfigurationError

log = structlog.get_logger(__name__)
WORD = "wedsync"
_UNLIKE = (
    "WEDSYNC_SECRET_KEYS holds none of the keys that the secrets in this database are encrypted with. Most likely "
    "DATABASE_URL names the database of another copy of WedSync: if so, give this copy its own database. If the "
    "database belongs to this copy, add the missing key to WEDSYNC_SECRET_KEYS, after the newest; a copy started "
    "by `make run` keeps it in keys/WEDSYNC_SECRET_KEYS of its home. Nothing was changed."
)


def verify() -> None:
    """Compare the keys with the database's check value, which the first process makes.

    Does nothing while the database is unreachable or not migrated yet.

    Raises:
        ConfigurationError: the keys do not belong to this database.
    """
    if not settings.SECRET_KEYS:
        return
    try:
        with transaction.atomic():
            _compare()
    except POSTGRES_AWAY as error:
        log.warning("keys_not_compared", error=type(error).__name__)
    except ProgrammingError:
        log.info("keys_not_compared", error="the database is not migrated yet")


def verify_or_exit(**_: object) -> None:
    """:func:`verify` for Celery's processes, which would print a traceback or continue: exit with the message."""
    try:
        verify()
    except ConfigurationError as error:
        sys.exit(f"WedSync cannot start: {error}")
    finally:
        connections.close_all()


def _compare() -> None:
    sealed = KeyCheck.objects.values_list("sealed", flat=True).first()
    if sealed is None:
        _read(_any_secret())
        KeyCheck.objects.bulk_create([KeyCheck(sealed=vault.encrypt(WORD))], ignore_conflicts=True)
        sealed = KeyCheck.objects.values_list("sealed", flat=True).get()  # another process may have been first
    _read(sealed)


def _any_secret() -> str:
    """A stored secret, for a database that has no check value yet; empty if there is none."""
    stored = System.objects.exclude(sealed_credentials="").order_by("-id").values_list("sealed_credentials", flat=True)
    return stored.first() or ConnectionSecret.objects.order_by("-id").values_list("sealed", flat=True).first() or ""


def _read(sealed: str) -> None:
    try:
        if sealed:
            vault.decrypt(sealed)
    except ConfigurationError as error:
        raise ConfigurationError(_UNLIKE) from error
