"""Requests and answers of weddings, forms and journeys, for the API's description."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

_TIME = "Local at the venue, such as 16:00, without an offset."


class _Facts(serializers.Serializer[Any]):
    date = serializers.DateField(required=False)
    ceremony_time = serializers.CharField(required=False, help_text=_TIME)
    reception_time = serializers.CharField(required=False, help_text=_TIME)
    reception_end = serializers.CharField(required=False, help_text=f"{_TIME} Before the start: next day.")
    venue_name = serializers.CharField(required=False, max_length=200)
    guest_count = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    capacity = serializers.IntegerField(required=False, min_value=0, max_value=100_000)


class WeddingChangesShape(_Facts):
    """The fields to change, at least one."""


class PositionShape(serializers.Serializer[Any]):
    """A position on a live channel."""

    last = serializers.IntegerField(help_text="Follow the channel after this sequence, as `after`.")
    epoch = serializers.CharField()


class WeddingShape(_Facts):
    """A wedding; times are local at the venue, and `null` where unknown."""

    id = serializers.UUIDField()
    couple = serializers.CharField()
    timezone = serializers.CharField(help_text="The venue's, an IANA name.")
    live = serializers.DictField(
        child=PositionShape(),
        help_text="The wedding's live channels, each with the position from which a client misses no later change.",
    )


class AnswersShape(serializers.Serializer[Any]):
    """1 to 200 answers: each question with a text, a number, a boolean or `null`."""

    answers = serializers.DictField(child=serializers.JSONField())


class AcceptedShape(serializers.Serializer[Any]):
    """The event that was published."""

    id = serializers.UUIDField()
    status = serializers.CharField(help_text="`accepted`")
