"""Stored answers to requests that may be sent again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from wedsync.ids import new_id
from wedsync.weddings.models import ApiKey, Organization


class RememberedRequest(models.Model):
    """One ``Idempotency-Key`` of one API key: claimed before the request takes effect, answered in the same commit.

    See wedsync/api/base_views/idempotency.py.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300, help_text="Without the query, which counts as part of the body.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="Of query and body; keyed, since a body may hold secrets.")
    lease_token = models.UUIDField(null=True, help_text="The request that is processing it; null: answered.")
    lease_until = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=64, blank=True, default="")
    body = models.TextField(blank=True, default="", help_text="Encrypted if it contains a secret.")
    is_sealed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "method", "path", "key"], name="remembered_request_once"),
            models.CheckConstraint(
                condition=Q(status__isnull=True, lease_token__isnull=False, lease_until__isnull=False)
                | Q(status__isnull=False, lease_token__isnull=True, lease_until__isnull=True),
                name="remembered_request_leased_or_answered",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="remembered_request_by_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.status or 'in progress'})"
