"""The senders of channels: their interface, and the registry that the apps above fill in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from integrations.errors import DeliveryError
from integrations.models import Delivery, System
from integrations.outbound import Request, Response
from integrations.states import Reason
from wedsync.weddings.models import ContactChannel

SYSTEM_CHANNEL = "system"
CHANNEL_CHOICES = ((SYSTEM_CHANNEL, "System"), *ContactChannel.choices)


@dataclass(frozen=True)
class Blocked:
    """Why a delivery must not be sent now.

    Arguments:
        until: when it may be sent; ``None``: never, so it is skipped.
        order_key: the order key for sending it then, if it has none yet.
        sets: as in :class:`integrations.models.Delivery`.
    """

    reason: Reason
    until: datetime | None = None
    order_key: str = ""
    sets: Sequence[str] = ()


@dataclass(frozen=True)
class RequestPreview:
    """A request as it would be sent, without credentials; ``subject`` and ``text``: a message as a person reads it."""

    request: Request
    subject: str = ""
    text: str = ""


Sending = Callable[[float], Response]
"""Makes one call and returns the answer; its argument is the whole time in seconds. Raises ``DeliveryError``."""


class Sender(Protocol):
    """Sends the deliveries of one channel."""

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """Whether a retry after an unknown outcome may arrive as a duplicate, without an idempotency key."""

    def render(self, delivery: Delivery) -> Request:
        """The bytes to send; called once, at the first attempt.

        Raises:
            OurFault: something on our side is missing.
        """

    def preview(self, delivery: Delivery) -> RequestPreview:
        """The same for a delivery that is not stored; nothing is kept.

        Raises:
            OurFault: something on our side is missing.
        """

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """Why a claimed delivery must not be sent now; ``None``: it may be."""

    def outdated(self, delivery: Delivery) -> str:
        """Why the frozen request must no longer be sent under the delivery's key; empty: it may be."""

    def replaced(self, delivery: Delivery, because: str) -> None:
        """A delivery was made in place of an outdated one, in the same transaction."""

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """Add the URL and the credentials for one attempt. The call itself must not use the database."""

    def judge(self, response: Response) -> str:
        """The provider's id for what it accepted, or an empty text.

        Raises:
            DeliveryError: it did not accept the request.
        """

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Note the acceptance; the delivery is already finished."""

    def answered(self, delivery: Delivery, response: Response) -> None:
        """Note further data of the accepting answer; called after :meth:`accepted`."""

    def failed(self, delivery: Delivery, error: DeliveryError) -> None:
        """An attempt has failed and been recorded. Note consequences beyond this delivery."""

    def status_wait(self, delivery: Delivery) -> float | None:
        """Seconds to wait, after an unknown outcome, for a status that confirms it; ``None``: none will come."""


Confirmation = Callable[[Delivery], str | None]
CallbackUrl = Callable[[System], str | None]
_senders: dict[str, Sender] = {}
_confirmations: list[Confirmation] = []
_callback_urls: list[CallbackUrl] = []


def register_channel(channel: str, sender: Sender) -> None:
    """Register the sender of a channel."""
    _senders[channel] = sender


def register_confirmation(find: Confirmation) -> None:
    """Register how to find out that a provider has accepted a delivery whose answer was not seen."""
    _confirmations.append(find)


def confirmation(delivery: Delivery) -> str | None:
    """The provider's id for a delivery that it has confirmed since; ``None``: it has not."""
    return next((found for find in _confirmations if (found := find(delivery))), None)


def register_callback_url(find: CallbackUrl) -> None:
    """Register how to find the URL to which a system's provider reports what became of a message."""
    _callback_urls.append(find)


def callback_url(system: System) -> str | None:
    """The callback URL that a message gives its provider; ``None``: the system has no connection for it."""
    return next((found for find in _callback_urls if (found := find(system))), None)


def sender_for(channel: str) -> Sender:
    """The sender of a channel."""
    return _senders[channel]
