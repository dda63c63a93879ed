"""What a push service's answer means. Browsers name their push services, so an answer speaks of one subscription.

That holds even for an answer that refuses our keys, since a person can register an endpoint that answers so. It counts
for the system only when another contact's endpoint has answered alike within the hour. docs/adr/0110.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    EndpointFailed,
    PairThrottled,
    RecipientRefused,
    Undeliverable,
)
from integrations.models import Attempt, Delivery
from integrations.outbound import Response

TOO_LONG = 413
WITHIN = timedelta(hours=1)
_ENDED, _TOO_FAST, _KEYS, _BAD_REQUEST = (404, 410), (408, 425, 429), (401, 403), 400


@dataclass(frozen=True)
class Answer(Response):
    """A push service's answer; ``keys_refused``: it refuses our keys, as another contact's endpoint has done."""

    keys_refused: bool = False


def refuses_keys(response: Response) -> bool:
    """Whether an answer speaks of our keys; a 400 does only where its text says so."""
    of_keys = response.status == _BAD_REQUEST and "vapid" in response.text.lower()
    return of_keys or response.status in _KEYS


def was_refused_elsewhere(delivery: Delivery, status: int) -> bool:
    """Whether another contact's endpoint has refused our keys with this status within the hour."""
    refused = [CredentialsRefused.__name__, Undeliverable.__name__]
    lately = Attempt.objects.filter(status_code=status, error_class__in=refused, started_at__gt=timezone.now() - WITHIN)
    return lately.filter(delivery__system=delivery.system_id).exclude(delivery__contact=delivery.contact_id).exists()


def error_of(response: Response) -> DeliveryError | None:
    """The error that an answer means; ``None``: it accepts the message."""
    status, said = response.status, f"the push service answered {response.status}"
    if 200 <= status < 300:
        return None
    if refuses_keys(response):
        if isinstance(response, Answer) and response.keys_refused:
            return CredentialsRefused(f"{said}, as for another contact: our VAPID keys are refused")
        return Undeliverable(f"{said}: it refuses our VAPID keys for this subscription, which therefore ends")
    if status in _ENDED:
        return Undeliverable(f"{said}: this subscription has ended")
    if status == TOO_LONG:
        return EndpointFailed(f"{said}: the message is sent again, shorter")
    if status in _TOO_FAST:
        return PairThrottled(said, retry_after=response.retry_after)
    if status >= 500:
        return EndpointFailed(said, retry_after=response.retry_after)
    return RecipientRefused(said)
