"""Addresses: people's phone numbers and email addresses, their consent, and what blocks them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from wedsync.ids import new_id
from wedsync.weddings.addresses import ContactChannel, normalize


class Address(models.Model):
    """One phone or email address, its consent and its blocks; belongs to the organization and outlives a wedding."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey("weddings.Organization", on_delete=models.CASCADE, related_name="addresses")
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    value = models.CharField(
        max_length=254, help_text="A phone number with its country code, or an email address. Stored in one form."
    )
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_source = models.CharField(max_length=200, blank=True, help_text="How the consent was given.")
    opted_out_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounce_reason = models.CharField(max_length=200, blank=True, help_text="What the provider said.")
    complained_at = models.DateTimeField(null=True, blank=True)
    last_inbound_at = models.DateTimeField(
        null=True, blank=True, help_text="When they last wrote: for 24 hours, WhatsApp accepts free text to them."
    )
    window_closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When WhatsApp last said that these 24 hours are over."
    )

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(fields=["organization", "channel", "value"], name="address_once"),
            models.CheckConstraint(condition=Q(channel__in=ContactChannel.values), name="address_channel_known"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.value}"

    def clean(self) -> None:
        """Store the address in the form in which addresses are compared, so an opt-out counts however it is typed."""
        try:
            self.value = normalize(ContactChannel(self.channel), self.value)
        except ValueError as error:
            raise ValidationError({"value": str(error)}) from error

    @property
    def blocked_because(self) -> str:
        """``opted_out``, ``bounced``, ``complained`` or ``no_consent``; empty where nothing blocks the address."""
        if self.opted_out_at:
            return "opted_out"
        if self.bounced_at:
            return "bounced"
        if self.complained_at:
            return "complained"
        if ContactChannel(self.channel).needs_consent and not self.consented_at:
            return "no_consent"
        return ""


class Device(models.Model):
    """A browser or app in which a contact has asked for messages: an address that it has registered by itself.

    ``value`` is the address as deliveries and :class:`Address` name it: the SHA-256 of where the device is reached.
    ``sealed`` is what its channel needs to reach it, encrypted; only the channel reads it. It ends with its link.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "weddings.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    contact = models.ForeignKey("weddings.Contact", on_delete=models.CASCADE, related_name="devices", db_index=False)
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    link = models.ForeignKey(
        "weddings.PersonalLink",
        null=True,
        on_delete=models.CASCADE,
        related_name="devices",
        help_text="Under which it registered. Without one it counts as ended.",
    )
    value = models.CharField(max_length=64, editable=False)
    sealed = models.TextField(editable=False)
    name = models.CharField(max_length=100, blank=True, help_text="The browser and the system, for people.")
    created_at = models.DateTimeField(auto_now_add=True)
    failing_since = models.DateTimeField(null=True, help_text="Since when nothing could be sent to it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "channel", "value"], name="device_once"),
            models.CheckConstraint(condition=Q(channel__in=ContactChannel.values), name="device_channel_known"),
        ]
        indexes = [models.Index(fields=["organization", "channel", "value"], name="device_by_address")]

    def __str__(self) -> str:
        return self.name or self.value[:12]


class AddressAlias(models.Model):
    """Another name that a provider has for an address: WhatsApp's own form of a number, or its id for a person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "weddings.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    alias = models.CharField(max_length=200, help_text="As the provider writes it.")
    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="aliases")
    noted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "address aliases"
        constraints = [
            models.UniqueConstraint(fields=["organization", "channel", "alias", "address"], name="address_alias_once"),
        ]

    def __str__(self) -> str:
        return self.alias


class AddressChange(models.Model):
    """One change of what an address may be used for: what, who said so, and when. Rows are only ever added."""

    class What(models.TextChoices):
        OPTED_OUT = "opted_out", "Opted out"
        OPTED_IN = "opted_in", "Opt-out ended"
        BOUNCED = "bounced", "Bounced"
        BOUNCE_LIFTED = "bounce_lifted", "Bounce lifted"
        COMPLAINED = "complained", "Complained"
        COMPLAINT_LIFTED = "complaint_lifted", "Complaint lifted"
        CONSENT = "consent", "Consent changed"
        MERGED = "merged", "Merged with another spelling"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "weddings.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="changes", db_index=False)
    what = models.CharField(max_length=20, choices=What.choices)
    by = models.CharField(max_length=200, help_text="A person's name, or the source.")
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["address", "-id"], name="address_change_of_address")]

    def __str__(self) -> str:
        return f"{self.get_what_display()} by {self.by}"
