"""A wedding whose people are told by text message, through the sandbox's Twilio."""

from __future__ import annotations

from django.utils import timezone

from integrations.models import Delivery
from integrations.sending import dispatch
from notifications.models import TraceEntry
from tests.factories import ContactFactory
from tests.notifications.channels.phones import PERSON, happened
from tests.sandbox.sandbox_peer import TWILIO_NUMBER, TWILIO_SID, TWILIO_TOKEN, Peer
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact, Wedding

ACCOUNT = {"account_sid": TWILIO_SID, "auth_token": TWILIO_TOKEN, "sender": TWILIO_NUMBER}
PREFERRED = ["sms", "email"]


def reader(wedding: Wedding, phone: str = PERSON, *, consented: bool = True) -> Contact:
    """Somebody who wants text messages first."""
    made: Contact = ContactFactory(
        organization=wedding.organization, wedding=wedding, role="couple", phone=phone, preferred_channels=PREFERRED
    )
    if consented:
        Address.objects.create(
            organization=wedding.organization, channel="sms", value=phone, consented_at=timezone.now()
        )
    return made


def sent(event: ChannelEvent) -> Delivery:
    return Delivery.objects.filter(event=event, channel="sms").latest("generation")


def told(event: ChannelEvent, what: str) -> str:
    return " ".join(TraceEntry.objects.filter(event=event, what=what).values_list("text", flat=True))


def dispatch_once(row: Delivery) -> None:
    try:
        dispatch.serve(row.id, row.system_id, urgent=False)
    except dispatch.TryAgain:
        return


def lose_the_answer(wedding: Wedding, outside: Peer) -> Delivery:
    """A message that Twilio took, and whose answer nobody saw."""
    reader(wedding)
    outside.fault("twilio", "silent_close", after=True, count=1)
    event = happened(wedding)
    dispatch_once(sent(event))
    return sent(event)


def due_again(row: Delivery) -> None:
    Delivery.objects.filter(id=row.id).update(next_attempt_at=timezone.now())
    dispatch_once(row)
