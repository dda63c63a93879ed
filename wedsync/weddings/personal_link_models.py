"""Personal links: each opens a wedding's page, or its calendar, for one contact, without a login."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from wedsync.ids import new_id

READERS = frozenset({"couple"})
"""The roles whose messages contain a link to the couple's page, and whose links may be used."""


class PersonalLink(models.Model):
    """A link that one contact was given. Only a hash of its token is stored; a message's link has its delivery's id.

    It may be used while ``revoked_at`` is null and ``expires_at`` is in the future; docs/staff/couple.md.
    """

    class Purpose(models.TextChoices):
        PAGE = "page", "The couple's page"
        CALENDAR = "calendar", "Calendar"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "weddings.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    wedding = models.ForeignKey("weddings.Wedding", on_delete=models.CASCADE, related_name="personal_links")
    contact = models.ForeignKey("weddings.Contact", on_delete=models.CASCADE, related_name="personal_links")
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.PAGE)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    opens_until = models.DateTimeField(help_text="Until then it opens the page in further browsers.")
    expires_at = models.DateTimeField(help_text="When everything that it opened ends.")
    opened_at = models.DateTimeField(null=True, help_text="When it was first opened.")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)
    requested = models.BooleanField(default=False, help_text="The contact asked for it with an older link.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=["page", "calendar"]), name="personal_link_purpose_known"),
            models.UniqueConstraint(
                fields=["contact"],
                name="personal_link_one_calendar",
                condition=Q(purpose="calendar", revoked_at__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="personal_link_newest")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.contact.name}"

    @property
    def is_usable(self) -> bool:
        """Whether it may be used now."""
        return self.revoked_at is None and self.expires_at > timezone.now()
