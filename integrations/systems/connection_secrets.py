"""A connection's secrets: a new one is made, the older ones expire, and until then all of them are valid."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations.models import Connection, ConnectionSecret
from integrations.vendors import VENDORS
from wedsync import vault

Purpose = ConnectionSecret.Purpose


def new_secret(connection: Connection, *, overlap: timedelta | None, purpose: Purpose = Purpose.SIGNING) -> str:
    """Make a new secret, and let the older ones of its purpose expire; returns its plain text, which is not stored.

    Arguments:
        overlap: how long the older ones stay valid; zero: they end immediately; ``None``: until staff end them.

    Raises:
        ConfigurationError: there is no key to encrypt it with.
    """
    vendor = VENDORS.get(connection.system.kind)
    text = vendor.signature.new_secret() if vendor and purpose == Purpose.SIGNING else secrets.token_urlsafe(32)
    add_secret(connection, text, overlap=overlap, purpose=purpose)
    return text


@transaction.atomic
def add_secret(
    connection: Connection, text: str, *, overlap: timedelta | None, purpose: Purpose = Purpose.SIGNING
) -> None:
    """Store a secret that somebody else made, such as a provider; otherwise like :func:`new_secret`.

    Raises:
        ConfigurationError: there is no key to encrypt it with.
    """
    _one_at_a_time(connection)
    made = ConnectionSecret.objects.create(connection=connection, purpose=purpose, sealed=vault.encrypt(text))
    mine = ConnectionSecret.objects.filter(connection=connection, purpose=purpose)
    mine.filter(id=made.id).update(created_at=Now())
    if overlap is not None:
        _end(mine.exclude(id=made.id), overlap)


@transaction.atomic
def end_older_secrets(connection: Connection) -> int:
    """End every live secret except the newest of each purpose; returns how many."""
    _one_at_a_time(connection)
    ended = 0
    for purpose in Purpose:
        mine = ConnectionSecret.objects.filter(connection=connection, purpose=purpose)
        newest = mine.filter(live_secret()).order_by("-created_at", "-id").first()
        if newest is not None:
            ended += _end(mine.exclude(id=newest.id), timedelta())
    return ended


def live_secret() -> Q:
    """Secrets that are valid now, by PostgreSQL's clock."""
    return Q(expires_at=None) | Q(expires_at__gt=Now())


def _one_at_a_time(connection: Connection) -> None:
    """Two secrets made at the same time would not see, and so not end, each other."""
    Connection.objects.select_for_update(no_key=True).get(id=connection.id)


def _end(rows: QuerySet[ConnectionSecret], within: timedelta) -> int:
    """Let secrets expire; one that expires sooner keeps its time."""
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=Now() + within)).update(expires_at=Now() + within)
