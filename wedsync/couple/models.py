"""The browsers in which a personal link was opened."""

from __future__ import annotations

from django.db import models

from wedsync.ids import new_id
from wedsync.weddings.models import PersonalLink


class LinkSession(models.Model):
    """One browser in which a link was opened. Only a hash of the cookie's secret is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link = models.ForeignKey(PersonalLink, on_delete=models.CASCADE, related_name="sessions")
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    device = models.CharField(max_length=60, blank=True, help_text="As the browser calls itself.")
    language = models.CharField(max_length=8, blank=True, help_text="Chosen on the page; empty: the contact's.")
    created_at = models.DateTimeField(auto_now_add=True)
    shown_at = models.DateTimeField(
        null=True, help_text="When the page was first shown. Scanners of mail follow links and never show it."
    )
    last_shown_at = models.DateTimeField(null=True, help_text="To the minute.")

    def __str__(self) -> str:
        return f"{self.device or 'a browser'} · {self.link}"
