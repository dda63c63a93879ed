"""Checks of an emergency's ways, made before one happens."""

from django.db import models

from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization, Wedding


class ReachCheck(models.Model):
    """A check that was made: each day of the ways to an organization's staff, and of a wedding's on its morning.

    The row is written first; of several processes the one whose row it is tells staff.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="reach_checks")
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, null=True, related_name="reach_checks")
    day = models.DateField(help_text="UTC's of the daily one, else the wedding's at its venue.")
    event = models.ForeignKey(ChannelEvent, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    judged_at = models.DateTimeField(null=True, help_text="When it was looked at whether the daily one arrived.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "wedding", "day"], name="reach_check_once", nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="reach_check_unjudged",
                condition=models.Q(wedding__isnull=True, judged_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"check of {self.wedding or self.organization} on {self.day}"
