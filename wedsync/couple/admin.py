"""Admin of personal links: who opened which, when and in which browser; revoking one, or all of a wedding's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from integrations.admin.buttons import PastButtonAdmin, Question, asked
from notifications.links import couple_url
from wedsync.couple.models import LinkSession
from wedsync.weddings import personal_links
from wedsync.weddings.admin import ContactAdmin, WeddingAdmin
from wedsync.weddings.models import Contact, Membership, PersonalLink, Wedding
from wedsync.weddings.tenant_admin.looks import BAD, GOOD, button, column, label, moment, show_once, table

ANY_ROLE = frozenset(Membership.Role)
MOST_BROWSERS = 50
_COLOURS = {"valid": GOOD, "revoked": BAD}


@admin.register(PersonalLink)
class PersonalLinkAdmin(PastButtonAdmin):
    """Every member of staff may revoke a link: one that fell into wrong hands must not wait for the right role."""

    pressed_by = ANY_ROLE
    tenant_path = "organization"
    list_display = ("contact", "wedding", "purpose", "shown_state", "created", "opened", "browsers")
    list_select_related = ("contact", "wedding", "organization")
    list_filter = ("purpose", "created_at")
    linked_by = ("wedding", "contact")
    search_fields = ("=id", "contact__name", "wedding__couple")
    ordering = ("-id",)
    actions_detail = ("revoke",)
    fieldsets = (
        (None, {"fields": (("contact", "wedding"), ("purpose", "requested"), ("shown_state", "created", "opened"))}),
        ("How long", {"fields": (("opens_until", "expires_at"), ("revoked", "revoked_by"))}),
        ("Where it was opened", {"fields": ("sessions",)}),
    )
    created = moment("Created", "created_at")
    opened = moment("First opened", "opened_at")
    revoked = moment("Revoked", "revoked_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        shown = Count("sessions", filter=Q(sessions__shown_at__isnull=False))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(shown=shown)
        return rows

    @column("State")
    def shown_state(self, link: PersonalLink) -> SafeString:
        expired = link.expires_at <= timezone.now()
        return label("revoked" if link.revoked_at else "expired" if expired else "valid", _COLOURS)

    @column("Browsers", ordering="shown")
    def browsers(self, link: Any) -> int:
        return int(link.shown)

    @column("Browsers")
    def sessions(self, link: PersonalLink) -> SafeString:
        rows = LinkSession.objects.filter(link=link).exclude(shown_at=None).order_by("-shown_at")[:MOST_BROWSERS]
        return table(("Browser", "Opened", "Last shown"), ((each.device or "?", *_times(each)) for each in rows))

    def is_offered(self, row: PersonalLink, path: str) -> bool:
        return row.revoked_at is None

    @asked(
        "Revoke",
        "revoke",
        "Shall this link stop working? The pages that it opened end within seconds, and their notifications end. "
        "Its owner can ask for a new one.",
    )
    def revoke(self, request: HttpRequest, link: PersonalLink) -> str:
        done = personal_links.revoke(PersonalLink.objects.filter(pk=link.pk), request.user.get_username())
        ended = "Revoked. The pages that it opened end, and notifications in their browsers."
        return ended if done else "It was already revoked."


def _times(session: LinkSession) -> tuple[str, str]:
    shown, last = session.shown_at, session.last_shown_at
    return tuple(f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "-" for at in (shown, last))  # type: ignore[return-value]


@button("Revoke all links", "revoke-links")
def revoke_links(pages: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Revoke every link of a wedding: of its page, and of its calendars; notifications in browsers end too."""
    wedding: Wedding | None = pages.get_object(request, object_id)
    if wedding is None or not pages.has_view_permission(request, wedding):
        raise Http404
    back = reverse("admin:weddings_wedding_change", args=[wedding.pk])
    links = PersonalLink.objects.filter(wedding=wedding, organization_id=wedding.organization_id)
    if request.method != "POST":
        text = "The couple's page and the calendars close everywhere, and notifications in browsers end."
        text += " The couple can ask for a new link."
        facts = [("Links", personal_links.usable().filter(pk__in=links).count())]
        question = Question(f"Revoke all links of {wedding.couple}", "Revoke all links", back, text, facts=facts)
        return question.page(request, pages)
    done = personal_links.revoke(links, request.user.get_username())
    pages.log_change(request, wedding, f"Revoked {done} links.")
    messages.success(request, f"{done} links revoked. Their pages end, and notifications in their browsers.")
    return HttpResponseRedirect(back)


@button("Make a link to the couple's page", "make-link")
def make_link(pages: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Make a link for one of the couple, to be handed over; it is shown once."""
    contact: Contact | None = pages.get_object(request, object_id)
    if contact is None or not pages.has_change_permission(request, contact):
        raise Http404
    back = reverse("admin:weddings_contact_change", args=[contact.pk])
    if contact.role not in personal_links.READERS:
        messages.error(request, "Only a contact with the role “couple” can have a link to the couple's page.")
        return HttpResponseRedirect(back)
    if request.method != "POST":
        text = "Whoever has the link sees the wedding's page, and can acknowledge an emergency in this person's name."
        return Question(f"A link for {contact.name}", "Make the link", back, text).page(request, pages)
    link = personal_links.issue(contact)
    pages.log_change(request, contact, "Made a link to the couple's page.")
    return show_once(
        request,
        pages,
        contact,
        title="The new link",
        note="Copy it now and give it to this person alone. It cannot be shown again.",
        facts={"Link": couple_url(personal_links.token_of(link.id)), "For": contact.name},
    )


WeddingAdmin.revoke_links = revoke_links  # type: ignore[attr-defined]
WeddingAdmin.actions_detail = (*getattr(WeddingAdmin, "actions_detail", ()), "revoke_links")  # type: ignore[attr-defined]
ContactAdmin.make_link = make_link  # type: ignore[attr-defined]
ContactAdmin.actions_detail = (*getattr(ContactAdmin, "actions_detail", ()), "make_link")  # type: ignore[attr-defined]
