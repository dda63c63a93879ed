"""Checks of how an emergency would reach people, made before one happens."""

from django.db import models

from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization, Wedding


class ReachCheck(models.Model):
    """A check of the channels to people: to an organization's staff every day, to a wedding's on its morning.

    The row is written first: of several processes, only the one that wrote it tells staff.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="reach_checks")
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, null=True, related_name="reach_checks")
    day = models.DateField(help_text="Of the daily check in UTC, otherwise the wedding's, at its venue.")
    event = models.ForeignKey(ChannelEvent, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    judged_at = models.DateTimeField(null=True, help_text="When we checked that the daily one arrived.")
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
