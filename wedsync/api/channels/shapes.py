"""Requests and answers of the tickets endpoint, for the API's description."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from wedsync.api.base_views.owned import NOT_YOURS, Reference
from wedsync.api.keys.authentication import client_of
from wedsync.api.requests.bodies import Body
from wedsync.live.access import tickets
from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS, check_pattern
from wedsync.weddings.models import Contact, Membership
from wedsync.wire.strict_json import is_storable


class TicketRequestShape(Body):
    """Who a ticket is for, and where it may be used; without `contact` or `user`, whoever has it acts for the key."""

    channels = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME),
        max_length=MOST_CHANNELS,
        required=False,
        help_text="The only channels, as names or patterns such as `couple:*:<wedding>`; omitted: all that are open to "
        "the key, or to the couple.",
    )
    contact = Reference(Contact, required=False, help_text="The contact whose screen it is.")
    user = serializers.CharField(max_length=150, required=False, help_text="The user name of the member of staff.")

    def validate_user(self, name: str) -> Membership:
        """Find the member."""
        organization = client_of(self.context["request"]).organization
        members = organization.memberships.filter(user__is_active=True, user__is_staff=True)
        member = members.filter(user__username=name).first() if is_storable(name) else None
        if member is None:
            raise serializers.ValidationError(NOT_YOURS)
        return member

    def validate_channels(self, patterns: list[str]) -> list[str]:
        """Check the patterns."""
        try:
            return [check_pattern(pattern) for pattern in patterns]
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what the ticket could not be used for."""
        contact, patterns = attrs.get("contact"), attrs.get("channels")
        if contact and "user" in attrs:
            raise serializers.ValidationError({"user": "name a contact or a user, not both"})
        if contact and patterns is None and contact.role != Contact.Role.COUPLE:
            raise serializers.ValidationError({"channels": "name the channels: supplier:dashboard:<system>"})
        try:
            tickets.check_channels(client_of(self.context["request"]).api_key, patterns or [], contact)
        except tickets.NotCovered as error:
            raise serializers.ValidationError({"channels": f"{error.pattern}: {error}"}) from error
        return attrs


class TicketShape(serializers.Serializer[Any]):
    """A ticket for one client, shown only once."""

    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()


class PublishShape(Body):
    """An event to publish."""

    type = serializers.CharField(max_length=64, help_text="Of the catalogue, or `custom.<word>`.")
    payload = serializers.DictField(required=False, help_text="At most 65,536 bytes as JSON.")
    wedding_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Omitted: the one that the channel is named after, if any."
    )


class PublishedShape(serializers.Serializer[Any]):
    """The stored event's id, and its number on the channel."""

    id = serializers.UUIDField()
    status = serializers.CharField(help_text="`accepted`")
    sequence = serializers.IntegerField()


class PresenceShape(serializers.Serializer[Any]):
    """How many people follow a channel now."""

    count = serializers.IntegerField()


class SeenShape(Body):
    """What a contact was shown."""

    contact = serializers.UUIDField()
    sequence = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class SeenAnswerShape(serializers.Serializer[Any]):
    """Whether that is more than was known before."""

    new = serializers.BooleanField()
