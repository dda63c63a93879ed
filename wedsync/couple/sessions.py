"""Sessions that a personal link opens: a cookie bound to one wedding's page, valid while the link is not revoked.

Only a browser that was given the page counts as one, since scanners of mail follow every link.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from wedsync.couple import devices
from wedsync.couple.models import LinkSession
from wedsync.weddings import personal_links
from wedsync.weddings.models import PersonalLink

COOKIE = "wedsync_couple"
MOST_BROWSERS = 10  # of one link
MOST_UNSHOWN = 100  # of one link, such as scanners of mail; the oldest are dropped
MINUTE = timedelta(minutes=1)


def path_of(wedding_id: UUID) -> str:
    """The address of a wedding's page, which the cookie is bound to."""
    return f"/couple/{wedding_id}/"


def wedding_of(token: str) -> UUID | None:
    """The wedding of a link to the page, whether or not it may still be used."""
    try:
        asked = personal_links.with_token(token)
    except personal_links.BadToken:
        return None
    rows = PersonalLink.objects.filter(asked, purpose=PersonalLink.Purpose.PAGE)
    return rows.values_list("wedding_id", flat=True).first()


def openable(token: str) -> PersonalLink | None:
    """The link of a token, if it may open the page in one more browser."""
    try:
        asked = personal_links.with_token(token)
    except personal_links.BadToken:
        return None
    page = personal_links.usable().filter(asked, purpose=PersonalLink.Purpose.PAGE, opens_until__gt=Now())
    link = page.select_related("contact", "wedding").first()
    return link if link and not _used_up(link) else None


def _used_up(link: PersonalLink) -> bool:
    return LinkSession.objects.filter(link=link).exclude(shown_at=None).count() >= MOST_BROWSERS


def begin(link: PersonalLink, request: HttpRequest, response: HttpResponseBase) -> None:
    """Open a session, and give its cookie to the response."""
    secret = secrets.token_urlsafe(32)
    device = devices.named(request.headers.get("User-Agent", "")[:1_000])
    LinkSession.objects.create(link=link, secret_hash=_hash(secret), device=device)
    _drop_oldest_unshown(link)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int((link.expires_at - timezone.now()).total_seconds()),
        path=path_of(link.wedding_id),
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def _drop_oldest_unshown(link: PersonalLink) -> None:
    unshown = LinkSession.objects.filter(link=link, shown_at=None)
    oldest = unshown.order_by("-created_at", "-id").values_list("id", flat=True)[MOST_UNSHOWN:]
    unshown.filter(id__in=list(oldest)).delete()


def of(request: HttpRequest, wedding_id: UUID) -> LinkSession | None:
    """The session of a request for a wedding's page, if its link may still be used."""
    return _found(request, wedding_id, Q(link__in=personal_links.usable()))


def ended(request: HttpRequest, wedding_id: UUID) -> LinkSession | None:
    """The session of a request, also where its link may not be used any more."""
    return _found(request, wedding_id, Q(link__contact__wedding_id=wedding_id))


def begun(request: HttpRequest, wedding_id: UUID) -> LinkSession | None:
    """The session of a request, whatever has become of its link and its contact."""
    return _found(request, wedding_id, Q())


def _found(request: HttpRequest, wedding_id: UUID, condition: Q) -> LinkSession | None:
    secret = request.COOKIES.get(COOKIE, "")
    if not secret:
        return None
    rows = LinkSession.objects.select_related("link__contact", "link__wedding")
    return rows.filter(condition, secret_hash=_hash(secret), link__wedding_id=wedding_id).first()


def is_admitted(session: LinkSession) -> bool:
    """Whether a session is one of its link's browsers; the first time that it gets anything, it becomes one."""
    return session.shown_at is not None or _admit(session)


@transaction.atomic
def _admit(session: LinkSession) -> bool:
    link = PersonalLink.objects.select_for_update(no_key=True).filter(id=session.link_id).first()
    same = LinkSession.objects.filter(link=link)
    if same.exclude(shown_at=None).exclude(id=session.id).count() >= MOST_BROWSERS:
        return False
    now = timezone.now()
    shown_at, last_shown_at = Coalesce("shown_at", now), Coalesce("last_shown_at", now)
    if not same.filter(id=session.id).update(shown_at=shown_at, last_shown_at=last_shown_at):
        return False  # dropped at this very moment
    PersonalLink.objects.filter(id=session.link_id, opened_at=None).update(opened_at=now)
    session.shown_at = session.last_shown_at = now
    return True


def note_shown(session: LinkSession) -> None:
    """Remember that the page was shown; at most one write a minute."""
    now = timezone.now()
    if session.last_shown_at is None or session.last_shown_at < now - MINUTE:
        LinkSession.objects.filter(id=session.id).update(last_shown_at=now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
