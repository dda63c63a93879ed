"""Who may open a stream or read a history: the bearer of a key or ticket, or staff on one of our own pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, parse_cookie

from wedsync.live import threads
from wedsync.live.access import passes, stream_tokens, ticket_texts, tickets
from wedsync.live.access.passes import Pass, Right
from wedsync.live.streams.parameters import header
from wedsync.live.streams.problems import Problematic, forbidden, not_authenticated
from wedsync.weddings.models import ApiKey, ApiScope
from wedsync.wire.problems import Problem


class Allowance(Protocol):
    """An API key's requests in this minute: whether a further one passes, and when the count begins again."""

    @property
    def passes(self) -> bool:
        """Whether the request may go on."""

    @property
    def limit(self) -> int:
        """The key's requests per minute."""

    @property
    def seconds(self) -> int:
        """Until the count starts again."""

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says of them."""


Count = Callable[[UUID], Allowance]
"""Counts a request of an API key; may wait for Redis."""


@dataclass(frozen=True)
class Admitted:
    """The sender of a request. ``ticket``: the hash of the ticket or token that it came with, which buys another."""

    pass_: Pass
    ticket: str = ""


NOTE_USE_EVERY = timedelta(minutes=1)
SAME_ORIGIN = "same-origin"
_HOW = "Send Authorization: Bearer <key, ticket or token>, or open it from a page of ours while signed in."


async def admit(scope: Mapping[str, Any], organization: str, count: Count) -> Admitted:
    """The pass of a request's sender. ``organization``: the slug that a member of staff names, or nothing.

    A request by an API key is counted; that of a ticket was, when the ticket was issued.

    Raises:
        Problematic: nobody who may follow channels.
    """
    given = header(scope, b"authorization")
    if given is not None:
        return await _by_bearer(given, count)
    if header(scope, b"sec-fetch-site") != SAME_ORIGIN:
        raise not_authenticated(_HOW)
    cookies = parse_cookie("; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    pass_ = await threads.entrance.run(_of_session, session, organization) if session else None
    if pass_ is None:
        raise not_authenticated(_HOW)
    return Admitted(pass_)


async def _by_bearer(given: str, count: Count) -> Admitted:
    words = given.split()
    if len(words) != 2 or words[0].lower() != "bearer":
        raise not_authenticated("Write Authorization: Bearer <key, ticket or token>.")
    if words[1].startswith(ticket_texts.PREFIX):
        return await _by_ticket(words[1])
    pass_ = await threads.entrance.run(_of_key, words[1])
    if pass_ is None:
        raise not_authenticated("This key is unknown or has expired.")
    if not pass_.may(Right.READ):
        scope = ApiScope.LIVE_READ.value
        raise forbidden(f"This key lacks the scope {scope}. Staff can add it.", "scope-missing", scope=scope)
    allowance = await threads.entrance.run(count, pass_.bearer.holder)
    if not allowance.passes:
        raise _too_many(allowance)
    return Admitted(pass_)


async def _by_ticket(text: str) -> Admitted:
    if ticket_texts.is_ours(text):
        try:
            pass_ = await threads.entrance.run(stream_tokens.redeem, text)
        except tickets.MayNotFollow as error:
            raise forbidden(f"{error}.".capitalize()) from error
        if pass_ is not None:
            return Admitted(pass_, ticket_texts.digest(text))
    raise not_authenticated("This ticket or token is unknown, used or expired. Get a new ticket.")


def _too_many(allowance: Allowance) -> Problematic:
    detail = f"This key may make {allowance.limit} requests a minute. Try again in {allowance.seconds} seconds."
    headers = {**allowance.headers, "Retry-After": str(allowance.seconds)}
    return Problematic(Problem(429, "too-many-requests", detail, headers=headers))


def _of_key(text: str) -> Pass | None:
    pass_ = tickets.of_bearer(text)
    if pass_ is not None:
        old = Q(last_used_at=None) | Q(last_used_at__lte=Now() - NOTE_USE_EVERY)
        ApiKey.objects.filter(old, id=pass_.bearer.holder).update(last_used_at=Now())
    return pass_


def _of_session(session_key: str, organization: str) -> Pass | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return None
    return passes.of_session(user.pk, organization, session_key, user.password)
