"""People's replies: words that stop or resume the messages of a channel, and buttons that they press.

docs/adr/0045 says which words count, and why no others do.
"""

import unicodedata
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from integrations.models import Delivery
from notifications import links
from notifications.consent import address_marks
from notifications.feedback import buttons
from notifications.feedback.notices import Reply
from notifications.models import Message
from notifications.trace import recording
from notifications.wording.letters import cut, tidy
from wedsync.weddings.addresses import in_one_form, normalize, other_forms
from wedsync.weddings.models import Address, Contact, ContactChannel

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
MOST_NOTED = 300  # characters of what a person wrote, in the trace


def bare(text: str) -> str:
    """Only letters and digits, without accents and case, so that people may write it as they like."""
    if len(text) > _LONGEST:
        return ""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if letter.isalnum())
    return plain.casefold()


_STOPS = frozenset(bare(word) for words in STOP.values() for word in words)
_STARTS = frozenset(bare(word) for words in START.values() for word in words)


def is_stop(text: str) -> bool:
    """Whether the whole message asks to stop, in any of our languages: a phone number has no language."""
    return bare(text) in _STOPS


def is_start(text: str) -> bool:
    """Whether the whole message asks to resume."""
    return bare(text) in _STARTS


def apply(organization_id: UUID, reply: Reply) -> None:
    """Let a person's message take effect, for this organization only. Call it in a transaction."""
    meant = _addresses(organization_id, reply)
    ends = is_stop(reply.text) if reply.opt_out is None else reply.opt_out
    begins = is_start(reply.text) if reply.opt_out is None else not reply.opt_out
    for value in sorted(meant):
        of = (organization_id, reply.channel, value, reply.at)
        address_marks.wrote(*of)
        if ends:
            address_marks.opted_out(*of, by=f"the person, who wrote “{reply.text.strip()}” on {reply.channel.label}")
        elif begins:
            address_marks.opted_in(*of)
    _note(organization_id, reply, meant)
    if reply.payload:
        by = _name(organization_id, reply, meant)
        buttons.pressed(organization_id, reply.payload, by=by, via=reply.channel.label)


def _note(organization_id: UUID, reply: Reply, meant: set[str]) -> None:
    """Say in the trace what the person wrote: at the message that they answered, else at the last one they got."""
    sent = Message.objects.filter(organization_id=organization_id, channel=reply.channel)
    answered = sent.filter(provider_id=reply.answers) if reply.answers else sent.none()
    message = answered.first() or sent.filter(address__in=meant).order_by("-id").first()
    if message is not None and (words := cut(tidy(reply.text), MOST_NOTED)):
        recording.note(message.delivery, recording.What.REPLIED, f"{reply.channel.label}: they wrote “{words}”.")


def apply_mail(organization_id: UUID, sender: str, at: datetime) -> None:
    """A person has sent us an email: if we know the address, its earlier bounce no longer counts."""
    value = in_one_form(ContactChannel.EMAIL, sender)
    if Address.objects.filter(organization_id=organization_id, channel=ContactChannel.EMAIL, value=value).exists():
        address_marks.wrote(organization_id, ContactChannel.EMAIL, value, at)


def _addresses(organization_id: UUID, reply: Reply) -> set[str]:
    """The sender's number in each form that we know, and the one to which the answered or pressed message was sent.

    In some countries a provider writes numbers in its own way; for a person with a user name, it gives none at all.
    """
    found = _own_number(reply)
    found |= address_marks.called(organization_id, reply.channel, (reply.sender.lstrip("+"), reply.user_id))
    if reply.answers:
        answered = Message.objects.filter(
            organization_id=organization_id, channel=reply.channel, provider_id=reply.answers
        )
        found |= set(answered.values_list("address", flat=True))
    if reply.payload and not found:
        found |= _pressed_at(organization_id, reply)
    return found


def _own_number(reply: Reply) -> set[str]:
    """The number itself, or its other form if this one is not valid."""
    number = f"+{reply.sender.lstrip('+')}"
    for form in (number, *other_forms(number)):
        with suppress(ValueError):
            return {normalize(reply.channel, form)}
    return set()


def _pressed_at(organization_id: UUID, reply: Reply) -> set[str]:
    """The phone to which a button of ours was sent, and so the phone of the person who presses it."""
    with suppress(links.BadLink):
        sent = Delivery.objects.filter(
            id=links.read_acknowledge_token(reply.payload), organization_id=organization_id, channel=reply.channel
        )
        return set(sent.values_list("target", flat=True))
    return set()


def _name(organization_id: UUID, reply: Reply, meant: set[str]) -> str:
    """The contact's name, else the number; empty if there is none: then the pressed message says whose it was."""
    contacts = Contact.objects.filter(organization_id=organization_id, phone__in=meant)
    name = contacts.order_by("-id").values_list("name", flat=True).first()
    return name or (f"+{reply.sender.lstrip('+')}" if reply.sender else "")
