"""How far a system's clients have been read."""

from __future__ import annotations

from django.db import models

from integrations.models.systems import System
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class ClientSync(models.Model):
    """Where the next page of a system's clients begins, and counts of the pages read so far.

    Changes only by conditional writes on ``cursor``: see integrations/remote_reads/client_sync.py.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="client_syncs")
    system = models.OneToOneField(System, on_delete=models.CASCADE, related_name="client_sync")
    cursor = models.CharField(
        max_length=500, blank=True, help_text="The system's own cursor of the next page; empty: start."
    )
    read_to = models.DateTimeField(null=True, help_text="The newest change that was read; a restart begins here.")
    ran_at = models.DateTimeField(null=True, help_text="When a page was last requested, by PostgreSQL's clock.")
    finished_at = models.DateTimeField(null=True, help_text="When a run last read everything.")
    seen = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    unknown = models.PositiveBigIntegerField(default=0, help_text="Clients we have no matching contact for.")
    refused = models.PositiveBigIntegerField(default=0, help_text="Clients that could not be read.")
    error = models.CharField(max_length=300, blank=True, help_text="Why the last run stopped early.")

    def __str__(self) -> str:
        return f"clients of {self.system}"
