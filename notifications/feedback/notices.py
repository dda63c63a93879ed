"""What providers and people tell us, in our own words, whichever provider said it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from integrations.errors import DeliveryError, RecipientComplained, RecipientStopped, Undeliverable, WindowClosed
from notifications.models import Message
from wedsync.weddings.models import ContactChannel


class AddressMark(Enum):
    """What a telling says of the address itself, beside the message."""

    BOUNCED = "bounced"  # nothing arrives there
    COMPLAINED = "complained"  # the person called it spam
    OPTED_OUT = "opted out"
    WINDOW_CLOSED = "window closed"  # WhatsApp's 24 hours are over


@dataclass(frozen=True)
class ProviderStatus:
    """What a provider says of one message.

    Arguments:
        at: the provider's time.
        provider_id: its id of the message.
        delivery_id: ours, where the provider repeats it.
        status: ``None`` where it moves no status, such as a mail that is late.
        failure: why it failed, for staff.
        mark: what it says of the address.
        remark: for the trace, of what neither a status nor a mark says.
        error: what a failure stands for, where the provider's codes tell; beyond the address, which ``mark`` is about.
        known_as: under which names the provider knows the address.
    """

    at: datetime
    provider_id: str = ""
    delivery_id: UUID | None = None
    status: Message.Status | None = None
    failure: str = ""
    mark: AddressMark | None = None
    remark: str = ""
    error: DeliveryError | None = None
    known_as: Sequence[str] = ()


@dataclass(frozen=True)
class Reply:
    """What a person sent to our number.

    Arguments:
        sender: digits with the country code; empty for a person of whom the provider tells another name.
        at: the provider's time.
        text: written, or the label of a pressed button.
        payload: what we had put into the pressed button.
        answers: the provider's id of our message that it answers.
        user_id: the provider's own id of the person, where it gives one.
        opt_out: what the provider itself took it for: true an end, false a new beginning; ``None``: our words decide.
    """

    channel: ContactChannel
    sender: str
    at: datetime
    text: str = ""
    payload: str = ""
    answers: str = ""
    user_id: str = ""
    opt_out: bool | None = None


@dataclass(frozen=True)
class MailReceived:
    """Somebody has written an email. ``sender``: the bare address; empty where it names none."""

    sender: str
    at: datetime


@dataclass(frozen=True)
class Pressed:
    """Buttons of ours that a person has pressed: what we had put into them, and who it was."""

    channel: ContactChannel
    tokens: Sequence[str]
    by: str


Effect = ProviderStatus | Reply | MailReceived | Pressed
_MARKS: dict[type[DeliveryError], AddressMark] = {
    Undeliverable: AddressMark.BOUNCED,
    RecipientStopped: AddressMark.OPTED_OUT,
    RecipientComplained: AddressMark.COMPLAINED,
    WindowClosed: AddressMark.WINDOW_CLOSED,
}


def mark_for(error: DeliveryError | None) -> AddressMark | None:
    """What an error says of the address; ``None``: nothing."""
    return _MARKS.get(type(error)) if error else None
