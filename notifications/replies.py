"""What people answer: words that end or begin WhatsApp messages, and buttons that they press.

Which words count, and why no others, stands in docs/adr/0045.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications import addresses, presses
from notifications.models import Message
from wedsync.weddings.addresses import normalize
from wedsync.weddings.models import Channel, Contact

STOP = {
    "en": ("stop", "stop all", "unsubscribe", "opt out", "quit"),
    "de": ("stopp", "abmelden", "abbestellen"),
    "es": ("baja", "alto", "parar"),
    "fr": ("arrêt", "désabonner", "désinscrire"),
}
START = {
    "en": ("start", "unstop", "subscribe"),
    "de": ("anmelden",),
    "es": ("alta", "reanudar"),
    "fr": ("reprendre", "réabonner"),
}
_LONGEST = 60


@dataclass(frozen=True)
class Reply:
    """What a person sent to our WhatsApp number.

    Arguments:
        sender: digits with the country code, as WhatsApp writes them.
        at: WhatsApp's time.
        text: written, or the label of a pressed button.
        payload: what we had put into the pressed button.
        answers: WhatsApp's id of our message that it answers.
    """

    sender: str
    at: datetime
    text: str = ""
    payload: str = ""
    answers: str = ""


def bare(text: str) -> str:
    """Letters and digits alone, without accents and case: so people may write it as they like."""
    if len(text) > _LONGEST:
        return ""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if letter.isalnum())
    return plain.casefold()


_STOPS = frozenset(bare(word) for words in STOP.values() for word in words)
_STARTS = frozenset(bare(word) for words in START.values() for word in words)


def is_stop(text: str) -> bool:
    """Whether the whole message asks for an end, in any of our languages: a number has no language of its own."""
    return bare(text) in _STOPS


def is_start(text: str) -> bool:
    """Whether the whole message asks for messages again."""
    return bare(text) in _STARTS


def take(organization_id: UUID, reply: Reply) -> None:
    """Let a WhatsApp message of a person take effect, for this organization only. Call it in a transaction."""
    for value in sorted(_addresses(organization_id, reply)):
        of = (organization_id, Channel.WHATSAPP, value, reply.at)
        addresses.wrote(*of)
        if is_stop(reply.text):
            addresses.opted_out(*of)
        elif is_start(reply.text):
            addresses.opted_in(*of)
    if reply.payload:
        presses.pressed(organization_id, reply.payload, by=_name(organization_id, reply), via=Channel.WHATSAPP.label)


def _addresses(organization_id: UUID, reply: Reply) -> set[str]:
    """The sender's number, and the one that we had written to: in some countries WhatsApp writes it in its own way."""
    found = set()
    with suppress(ValueError):
        found.add(normalize(Channel.WHATSAPP, f"+{reply.sender.lstrip('+')}"))
    if reply.answers:
        answered = Message.objects.filter(
            organization_id=organization_id, channel=Channel.WHATSAPP, provider_id=reply.answers
        )
        found |= set(answered.values_list("address", flat=True))
    return found


def _name(organization_id: UUID, reply: Reply) -> str:
    """The contact's name, else the number."""
    contacts = Contact.objects.filter(organization_id=organization_id, phone__in=_addresses(organization_id, reply))
    name = contacts.order_by("-id").values_list("name", flat=True).first()
    return name or f"+{reply.sender.lstrip('+')}"
