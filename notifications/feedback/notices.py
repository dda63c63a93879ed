"""What providers and people tell us, in terms that are the same for every provider. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from integrations.errors import DeliveryError, RecipientComplained, RecipientStopped, Undeliverable, WindowClosed
from notifications.models import Message
from wedsync.weddings.models import ContactChannel


class AddressMark(Enum):
    """What a report says about the address itself, besides the message."""

    BOUNCED = "bounced"  # nothing arrives there
    COMPLAINED = "complained"  # the person marked it as spam
    OPTED_OUT = "opted out"
    WINDOW_CLOSED = "window closed"  # WhatsApp's 24 hours are over


@dataclass(frozen=True)
class ProviderStatus:
    """What a provider says about one message.

    Arguments:
        at: the provider's time.
        provider_id: its id of the message.
        delivery_id: ours, if the provider repeats it.
        status: ``None`` if the status does not change, for instance for a delayed email.
        failure: why it failed, for staff.
        mark: what it says about the address.
        remark: for the trace, what neither a status nor a mark says.
        error: the meaning of a failure, if the provider's codes tell it; ``mark`` is about the address.
        known_as: the provider's names for the address.
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
        sender: digits with the country code; empty for a person for whom the provider gives another name.
        at: the provider's time.
        text: as written, or the label of a pressed button.
        payload: what we put into the pressed button.
        answers: the provider's id of our message that it answers.
        user_id: the provider's own id of the person, if it gives one.
        opt_out: how the provider itself read it: true: opted out, false: opted in; ``None``: our words decide.
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
    """Somebody has written an email. ``sender``: the bare address; empty if it has none."""

    sender: str
    at: datetime


@dataclass(frozen=True)
class Pressed:
    """Buttons of ours that a person has pressed: what we put into them, and who pressed them."""

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
    """What an error says about the address; ``None``: nothing."""
    return _MARKS.get(type(error)) if error else None
