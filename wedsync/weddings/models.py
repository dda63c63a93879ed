"""Organizations and their weddings: who, when, where, and how each person can be reached."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from wedsync.ids import new_id
from wedsync.weddings.address_models import Address as Address
from wedsync.weddings.address_models import AddressAlias as AddressAlias
from wedsync.weddings.address_models import AddressChange as AddressChange
from wedsync.weddings.address_models import Device as Device
from wedsync.weddings.addresses import ContactChannel as ContactChannel
from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.fields import CHANGEABLE
from wedsync.weddings.personal_link_models import READERS
from wedsync.weddings.personal_link_models import PersonalLink as PersonalLink
from wedsync.weddings.validators import validate_channel_pattern, validate_locale, validate_time_zone
from wedsync.wire.channel_names import LONGEST_NAME

MOST_PATTERNS = 32  # of one key


class Organization(models.Model):
    """A tenant: one planning company. Nothing ever crosses from one to another."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    live_log_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="For how many days clients of the live channels can go on after a break. Empty: for ever.",
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A staff user's membership of an organization."""

    class Role(models.TextChoices):
        PLANNER = "planner"
        SUPPORT = "support"
        OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.PLANNER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="membership_once_per_user"),
            models.CheckConstraint(condition=Q(role__in=["planner", "support", "owner"]), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization}"


class ApiScope(models.TextChoices):
    """What an API key may be used for. docs/developers/api.md, "Keys and scopes"."""

    EVENTS_READ = "events:read", "events:read · weddings and events"
    EVENTS_WRITE = "events:write", "events:write · weddings, forms, journeys"
    LIVE_READ = "live:read", "live:read · follow live channels"
    LIVE_PUBLISH = "live:publish", "live:publish · publish events on live channels"
    LIVE_PRESENCE = "live:presence", "live:presence · how many follow a live channel"
    LIVE_SEEN = "live:seen", "live:seen · report what a contact has seen"
    CONFIG_READ = "config:read", "config:read · routes, systems, connections, references"
    CONFIG_WRITE = "config:write", "config:write · change these, and make secrets"
    DELIVERIES_READ = "deliveries:read", "deliveries:read · deliveries and attempts"
    DELIVERIES_WRITE = "deliveries:write", "deliveries:write · resend and cancel"
    HEALTH_READ = "health:read", "health:read · health"


def every_scope() -> list[str]:
    """The scopes of a key that names none."""
    return list(ApiScope.values)


class ApiKey(models.Model):
    """An API key. Only its SHA-256 is stored: the key has 256 random bits, so no slower hash is needed."""

    PREFIX = "wsk_"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=32, choices=ApiScope.choices), default=every_scope, help_text="What it allows."
    )
    channels = ArrayField(
        models.CharField(max_length=LONGEST_NAME, validators=[validate_channel_pattern]),
        null=True,
        blank=True,
        size=MOST_PATTERNS,
        verbose_name="live channels",
        help_text="The only live channels, as patterns with commas between them: “couple:*:*”. Empty: all.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Refused from then on. To revoke a key, set this to now, or delete it."
    )
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(scopes__contained_by=list(ApiScope.values)), name="apikey_scopes_known")
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def hash_of(key: str) -> str:
        """The stored form of a key."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(
        cls,
        organization: Organization,
        name: str,
        expires_at: datetime | None = None,
        scopes: Iterable[str] | None = None,
        channels: Iterable[str] | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key, by default with all scopes; returns its row, and its clear text, which is stored nowhere."""
        key = cls.PREFIX + secrets.token_urlsafe(32)
        row = cls.objects.create(
            organization=organization,
            name=name,
            key_hash=cls.hash_of(key),
            expires_at=expires_at,
            scopes=every_scope() if scopes is None else list(scopes),
            channels=None if channels is None else list(channels),
        )
        return row, key


class Wedding(models.Model):
    """A wedding; local times are in the venue's zone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="weddings")
    couple = models.CharField(max_length=200, help_text="For instance “Anna & Ben”.")
    date = models.DateField()
    venue_name = models.CharField(max_length=200, blank=True)
    timezone = models.CharField(max_length=64, validators=[validate_time_zone], help_text="The venue's IANA name.")
    ceremony_time = models.TimeField(null=True, blank=True)
    reception_time = models.TimeField(null=True, blank=True)
    reception_end = models.TimeField(null=True, blank=True, help_text="Earlier than its start: the next day.")
    guest_count = models.PositiveIntegerField(null=True, blank=True)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    field_changed_at = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "date"], name="wedding_by_date")]

    def __str__(self) -> str:
        return f"{self.couple} · {self.date}"

    @property
    def zone(self) -> ZoneInfo:
        """The venue's time zone."""
        return ZoneInfo(self.timezone)


class Form(models.Model):
    """A form that couples or suppliers fill in. Answers named in ``wedding_fields`` change the wedding."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="forms")
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, related_name="forms")
    title = models.CharField(max_length=200)
    wedding_fields = models.JSONField(
        default=dict, blank=True, help_text='Which answer sets which field of the wedding: {"new_date": "date"}.'
    )

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuse a mapping to a field that a form cannot change."""
        fields = self.wedding_fields
        if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields.values()):
            raise ValidationError({"wedding_fields": 'Write an object such as {"new_date": "date"}.'})
        unknown = sorted(set(fields.values()) - set(CHANGEABLE))
        if unknown:
            raise ValidationError(
                {"wedding_fields": f"No such field: {', '.join(unknown)}. Known: {', '.join(CHANGEABLE)}."}
            )


class Contact(models.Model):
    """A person involved in a wedding."""

    class Role(models.TextChoices):
        COUPLE = "couple"
        PHOTOGRAPHER = "photographer"
        VENUE = "venue"
        CATERER = "caterer"
        COORDINATOR = "coordinator"
        VENDOR = "vendor"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contacts")
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16, choices=Role.choices)
    phone = models.CharField(
        max_length=40, blank=True, help_text="With its country code, for instance +43 660 123 45 67."
    )
    email = models.EmailField(blank=True)
    locale = models.CharField(max_length=8, validators=[validate_locale], default="en")
    timezone = models.CharField(max_length=64, validators=[validate_time_zone], default="UTC")
    preferred_channels = models.JSONField(
        default=list, blank=True, help_text='In order of preference, for instance ["whatsapp", "email"]; empty: all.'
    )
    quiet_from = models.TimeField(null=True, blank=True, help_text="In the contact's time zone.")
    quiet_until = models.TimeField(null=True, blank=True)
    call_order = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="In an emergency; 1 is called first."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["couple", "photographer", "venue", "caterer", "coordinator", "vendor"]),
                name="contact_role_known",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="contact_quiet_hours_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"

    def clean(self) -> None:
        """Check what the database cannot: phone and email, which are stored in one form, channels, quiet hours."""
        for kind in dict.fromkeys(channel.addresses for channel in ContactChannel if channel.addresses.field):
            if typed := getattr(self, kind.field):
                try:
                    setattr(self, kind.field, kind.normalize(typed))
                except ValueError as error:
                    raise ValidationError({kind.field: str(error)}) from error
        if not isinstance(self.preferred_channels, list) or set(self.preferred_channels) - set(ContactChannel.values):
            raise ValidationError({"preferred_channels": f"Write a list of these: {', '.join(ContactChannel.values)}."})
        if bool(self.quiet_from) != bool(self.quiet_until):
            raise ValidationError({"quiet_until": "Quiet hours need a start and an end."})
        if self.quiet_from and self.quiet_from == self.quiet_until:
            raise ValidationError({"quiet_until": "Quiet hours cannot end when they begin. Leave both empty for none."})

    def may_use(self, link: PersonalLink | None) -> bool:
        """Whether what a link opened for the contact stays open: they may have moved or lost the role since."""
        if link is None or not link.is_usable:
            return False
        return (link.contact_id, link.wedding_id) == (self.id, self.wedding_id) and self.role in READERS

    def addresses(self, channel: ContactChannel) -> tuple[str, ...]:
        """The contact's addresses on the channel: at most one in a field such as the phone, and every device's.

        A device whose link has ended is none.
        """
        if channel.addresses.registered:
            own = (device for device in self.devices.all() if device.channel == channel)
            return tuple(sorted(device.value for device in own if self.may_use(device.link)))
        typed = str(getattr(self, channel.addresses.field)) if channel.addresses.field else ""
        return (in_one_form(channel, typed),) if typed else ()
