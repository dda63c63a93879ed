"""How far the clients of a system are read."""

from __future__ import annotations

from django.db import models

from integrations.models.systems import System
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class ClientSync(models.Model):
    """Where the next page of a system's clients begins, and what the last pages held.

    Moves by conditional writes on ``cursor`` only: see integrations/remote_reads/client_sync.py.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="client_syncs")
    system = models.OneToOneField(System, on_delete=models.CASCADE, related_name="client_sync")
    cursor = models.CharField(max_length=500, blank=True, help_text="The system's own, of the next page; empty: begin.")
    read_to = models.DateTimeField(null=True, help_text="The newest change that was read; a new beginning starts here.")
    ran_at = models.DateTimeField(null=True, help_text="When a page was last asked for; PostgreSQL's clock.")
    finished_at = models.DateTimeField(null=True, help_text="When there was last nothing more to read.")
    seen = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    unknown = models.PositiveBigIntegerField(default=0, help_text="Clients that no contact of ours stands for.")
    refused = models.PositiveBigIntegerField(default=0, help_text="Clients that could not be read.")
    error = models.CharField(max_length=300, blank=True, help_text="Why the last run stopped early.")

    def __str__(self) -> str:
        return f"clients of {self.system}"
