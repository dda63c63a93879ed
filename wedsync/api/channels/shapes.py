"""Requests and answers of the tickets endpoint, for the API's description."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from wedsync.api.requests.bodies import Body
from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS, check_name


class TicketChannelsShape(Body):
    """The only channels that the ticket opens; omitted: all of the organization's."""

    channels = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME), max_length=MOST_CHANNELS, required=False
    )

    def validate_channels(self, names: list[str]) -> list[str]:
        """Check the names."""
        try:
            return [check_name(name) for name in names]
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class TicketShape(serializers.Serializer[Any]):
    """A ticket for one socket, shown only once."""

    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()
