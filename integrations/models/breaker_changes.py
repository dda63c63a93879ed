"""The history of breakers, for staff to read. The breakers themselves are in Redis."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.systems import System
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class BreakerState(models.TextChoices):
    """Half-open: a few leased probes go out, everything else waits. Unknown: Redis did not answer."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    UNKNOWN = "unknown"


_KNOWN = [state for state in BreakerState if state is not BreakerState.UNKNOWN]
_CHOICES = [(state.value, state.label) for state in _KNOWN]


class BreakerChange(models.Model):
    """One change of a breaker, written by the call or the member of staff that caused it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="breaker_changes")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="breaker_changes")
    breaker_key = models.CharField(max_length=320, help_text="Webhooks to the same host share a breaker.")
    from_state = models.CharField(max_length=16, choices=_CHOICES)
    to_state = models.CharField(max_length=16, choices=_CHOICES)
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(from_state__in=_KNOWN, to_state__in=_KNOWN), name="breaker_states_known"
            ),
        ]
        indexes = [
            models.Index(fields=["system", "-id"], name="breaker_change_of_system"),
            models.Index(fields=["at"], name="breaker_change_at"),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}".replace("_", " ")
