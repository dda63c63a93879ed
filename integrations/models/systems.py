"""Connected systems, their inbound connections, and their names for our weddings and contacts."""

from __future__ import annotations

import secrets

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from integrations.states import Reason
from wedsync import named_credentials, vault
from wedsync.ids import new_id
from wedsync.weddings.models import Contact, Organization, Wedding


class System(models.Model):
    """A connected outside system."""

    class Kind(models.TextChoices):
        STUDIO_CLOUD = "studio_cloud", "Studio Cloud"
        SHOOTQ = "shootq", "ShootQ"
        IRIS_WORKS = "iris_works", "Iris Works"
        VENUE_MASTER = "venue_master", "VenueMaster"
        PARTY_RENTAL = "party_rental", "PartyRental"
        WHATSAPP = "whatsapp", "WhatsApp"
        SLACK = "slack", "Slack"
        EMAIL = "email", "Email"
        SMS = "sms", "SMS"
        WEB_PUSH = "web_push", "Web Push"
        WEBHOOK = "webhook", "Signed webhook"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        DISABLED = "disabled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="systems")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    base_url = models.CharField(max_length=500, help_text="Without a trailing slash.")
    sealed_credentials = models.TextField(blank=True, default="", editable=False)
    state = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    state_reason = models.CharField(max_length=32, choices=Reason.choices, blank=True, editable=False)
    call_limit = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The most calls in flight; urgent deliveries have the same number on top. Empty: 4.",
    )
    rate_per_second = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.001)],
        help_text="The most calls per second. Empty: the limit that the provider publishes, and none if it publishes "
        "none. A fifth of the burst is reserved for urgent deliveries.",
    )
    rate_burst = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Calls that may go out together after a pause. Empty: one second's worth, but at least 2; if the "
        "rate is empty too, the burst that the provider tolerates.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["active", "paused", "disabled"]), name="system_state_known"),
            models.CheckConstraint(condition=Q(call_limit__gte=1), name="system_call_limit_positive"),
            models.CheckConstraint(condition=Q(rate_per_second__gt=0), name="system_rate_positive"),
            models.CheckConstraint(condition=Q(rate_burst__gte=1), name="system_burst_positive"),
            models.UniqueConstraint(fields=["organization", "name"], name="system_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def credentials(self) -> dict[str, str]:
        """The stored credentials in plain text; ``env:NAME`` values are resolved now, if the organization may use them.

        Raises:
            ConfigurationError: a key or a variable is missing, or the operator has not listed the variable.
        """
        stored = vault.as_stored(self.sealed_credentials)
        if not any(map(named_credentials.is_named, stored.values())):
            return stored
        return named_credentials.resolved(stored, self.organization.slug)

    def seal_credentials(self, values: dict[str, str]) -> None:
        """Replace the credentials; they are saved with the row."""
        self.sealed_credentials = vault.seal(values)


def new_connection_id() -> str:
    """An unguessable id for the connection's URL."""
    return "wsc_" + secrets.token_urlsafe(18).replace("-", "a").replace("_", "b")


class Connection(models.Model):
    """The inbound door of one system."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"  # accepted and stored, routed when resumed
        DISABLED = "disabled"  # 404

    id = models.CharField(primary_key=True, max_length=40, default=new_connection_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="connections")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="connections")
    state = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    limit_per_hour = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most verified requests per hour. Empty: the general limit."
    )
    networks = ArrayField(
        models.CharField(max_length=43),
        default=list,
        blank=True,
        help_text="The vendor's networks, such as 203.0.113.0/24, separated by commas, without a limit per sender.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["active", "paused", "disabled"]),
                name="connection_state_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.system} · {self.id[:10]}…"


class ConnectionSecret(models.Model):
    """One of a connection's secrets, encrypted."""

    class Purpose(models.TextChoices):
        SIGNING = "signing"  # requests are signed with it
        HANDSHAKE = "handshake"  # WhatsApp's verify token

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="secrets")
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.SIGNING)
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.created_at:%Y-%m-%d}"


class ExternalReference(models.Model):
    """An outside system's name for a wedding or contact of ours. A system that has one is a supplier of the wedding."""

    class Kind(models.TextChoices):
        BOOKING = "booking"
        CLIENT = "client"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="external_references")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="references")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.BOOKING)
    external_id = models.CharField(max_length=200)
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, null=True, blank=True, related_name="references")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="references")
    known = models.JSONField(
        default=dict,
        editable=False,
        help_text="For a client: the values that the system is known to hold, by our names.",
    )
    known_at = models.DateTimeField(null=True, editable=False, help_text="When the system says that it last changed.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "kind", "external_id"], name="reference_once"),
            models.CheckConstraint(condition=Q(kind__in=["booking", "client"]), name="reference_kind_known"),
            models.CheckConstraint(
                condition=Q(wedding__isnull=False) | Q(contact__isnull=False), name="reference_points_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system}: {self.external_id}"
