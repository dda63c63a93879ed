"""The message templates that an organization has written itself."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from wedsync.ids import new_id
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.weddings.models import ContactChannel, Organization

OTHERS = {"digest": "Digest: several low-priority updates", "fallback": "Fallback: for events without a template"}
TEMPLATE_TYPES = [*((name, name) for name in CATALOGUE), *OTHERS.items()]
LOCALES = [("en", "English"), ("de", "German"), ("es", "Spanish"), ("fr", "French")]


class MessageTemplate(models.Model):
    """One version of one text. Rows are never changed: editing makes the next version, and one is active."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="templates", db_index=False)
    event_type = models.CharField(max_length=64)
    channel = models.CharField(
        max_length=16, choices=ContactChannel.choices, blank=True, help_text="Empty: every channel."
    )
    locale = models.CharField(max_length=8, default="en", help_text="For instance de, or de-AT for one region.")
    text = models.TextField(help_text="First line: the headline. Each further line: a fact, as “Label: value”.")
    version = models.PositiveIntegerField(default=1)
    active = models.BooleanField(default=True, help_text="In use; otherwise an earlier version, or withdrawn.")
    note = models.CharField(max_length=200, blank=True, help_text="Why it was changed.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "event_type", "channel", "locale"],
                name="template_in_force_once",
                condition=Q(active=True),
            ),
            models.UniqueConstraint(
                fields=["organization", "event_type", "channel", "locale", "version"], name="template_version_once"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["", *ContactChannel.values]), name="template_channel_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} · {self.channel or 'every channel'} · {self.locale} · version {self.version}"
