"""The channels' ways out: what a sender must offer, and the register in which the apps above enter theirs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from integrations.errors import DeliveryError
from integrations.models import Delivery
from integrations.outbound import Request, Response
from integrations.states import Reason
from wedsync.weddings.models import ContactChannel

SYSTEM_CHANNEL = "system"
CHANNEL_CHOICES = ((SYSTEM_CHANNEL, "System"), *ContactChannel.choices)


@dataclass(frozen=True)
class Blocked:
    """Why a delivery is not to be sent now.

    Arguments:
        until: when it may be; ``None``: never, it is skipped.
        order_key: among what it goes out in order then, where it has no order yet.
        sets: as in :class:`integrations.models.Delivery`.
    """

    reason: Reason
    until: datetime | None = None
    order_key: str = ""
    sets: Sequence[str] = ()


@dataclass(frozen=True)
class RequestPreview:
    """What would be sent, without credentials; ``subject`` and ``text``: of a message, as a person reads it."""

    request: Request
    subject: str = ""
    text: str = ""


Sending = Callable[[float], Response]
"""Makes one call and returns the answer; its argument is the whole time in seconds. Raises ``DeliveryError``."""


class Sender(Protocol):
    """One channel's way out."""

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """Whether it may arrive twice when it is tried again after an unknown outcome: nobody there knows our key."""

    def render(self, delivery: Delivery) -> Request:
        """The bytes to send; called once, at the first attempt.

        Raises:
            OurFault: something of ours is missing.
        """

    def preview(self, delivery: Delivery) -> RequestPreview:
        """The same for a delivery that is not stored; nothing is kept.

        Raises:
            OurFault: something of ours is missing.
        """

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """What stands against sending a claimed delivery by now; ``None``: nothing."""

    def outdated(self, delivery: Delivery) -> str:
        """Why what is frozen must not be sent under the delivery's key any more; empty: it may be."""

    def replaced(self, delivery: Delivery, because: str) -> None:
        """A delivery was made in the place of one that was outdated; in the same transaction."""

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """Add the URL and the credentials, for one attempt. The call itself may not use the database."""

    def judge(self, response: Response) -> str:
        """The provider's id of what it took, or an empty text.

        Raises:
            DeliveryError: it did not take it.
        """

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Note it; the delivery is finished already."""

    def answered(self, delivery: Delivery, response: Response) -> None:
        """Note what else an answer says that took it; called after :meth:`accepted`."""

    def failed(self, delivery: Delivery, error: DeliveryError) -> None:
        """An attempt has failed, and that is written down. What it says of more than this delivery is noted here."""

    def status_wait(self, delivery: Delivery) -> float | None:
        """Seconds to wait, after an unknown outcome, for word that it was taken; ``None``: none will come."""


Confirmation = Callable[[Delivery], str | None]
_senders: dict[str, Sender] = {}
_confirmations: list[Confirmation] = []


def register_channel(channel: str, sender: Sender) -> None:
    """Say how deliveries of a channel are sent."""
    _senders[channel] = sender


def register_confirmation(find: Confirmation) -> None:
    """Say how to find out that a provider has taken a delivery whose answer was not seen."""
    _confirmations.append(find)


def confirmation(delivery: Delivery) -> str | None:
    """The provider's id of a delivery that it has told us about since; ``None``: nothing was heard."""
    return next((found for find in _confirmations if (found := find(delivery))), None)


def sender_for(channel: str) -> Sender:
    """The sender of a channel."""
    return _senders[channel]
