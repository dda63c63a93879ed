"""How many requests one API key may make in a minute, counted together with the other web processes.

Emergencies have a share of their own, which ordinary requests cannot use up.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import APIException

from wedsync.web import minute_counts
from wedsync.web.minute_counts import MinuteCounts


class Share(StrEnum):
    """The kinds of requests that are counted separately."""

    CALLS = "calls"
    TICKETS = "tickets"
    EMERGENCIES = "emergencies"
    PUBLISHED = "published"

    @property
    def a_minute(self) -> int:
        """How many requests of this kind a key may make in a minute."""
        found: int = {
            Share.CALLS: settings.LIMIT_PER_KEY,
            Share.TICKETS: settings.LIMIT_TICKETS,
            Share.EMERGENCIES: settings.LIMIT_EMERGENCIES,
            Share.PUBLISHED: settings.LIMIT_PUBLISHED,
        }[self]
        return found


@dataclass(frozen=True)
class Allowance:
    """A key's limit, the requests it has used including this one, and the seconds until the count starts again."""

    limit: int
    used: int
    seconds: int

    @property
    def passes(self) -> bool:
        """Whether the request may go on."""
        return self.used <= self.limit

    @property
    def headers(self) -> dict[str, str]:
        """The same headers as on answers to webhooks."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.seconds),
        }


class TooMany(APIException):
    """The key has used up its share of this minute."""

    status_code = 429
    slug = "too-many-requests"

    def __init__(self, share: Share, allowance: Allowance) -> None:
        super().__init__(
            f"This key may make {allowance.limit} requests a minute ({share.value}). "
            f"Try again in {allowance.seconds} seconds."
        )
        self.wait = allowance.seconds


def count(share: Share, api_key_id: UUID) -> Allowance:
    """Count one request of a key."""
    return count_in(minute_counts.shared(), share, api_key_id)


def count_in(counts: MinuteCounts, share: Share, api_key_id: UUID) -> Allowance:
    """Count one request of a key in these counts."""
    counted = counts.count(f"{share.value}:{api_key_id}")
    return Allowance(share.a_minute, counted.used, counted.seconds)
