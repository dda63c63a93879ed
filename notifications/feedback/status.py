"""The fate of a message as its provider reports it: merged by rank, so that reports that arrive late, twice or out of
order never move it back (docs/staff/statuses.md, docs/adr/0045).
"""

from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Least

from notifications import follow_up
from notifications.channels.registry import CHANNELS
from notifications.consent import address_marks
from notifications.feedback.notices import AddressMark, ProviderStatus
from notifications.models import Message
from notifications.trace import recording, statuses
from wedsync.weddings.models import ContactChannel

Status = Message.Status
_LONGEST = 300


def apply(organization_id: UUID, system_id: UUID, reported: ProviderStatus) -> bool:
    """Let a report by a system's provider take effect; false if it is not about a message of that system.

    Call it in a transaction. The message stays locked until its end, so that each change is recorded once.
    """
    message = _meant(organization_id, system_id, reported)
    if message is None:
        return False
    address_marks.known_as(organization_id, ContactChannel(message.channel), message.address, reported.known_as)
    changes = _changes(message, reported)
    channel = CHANNELS[message.channel]
    if changes and reported.error:
        channel.failed_late(message.delivery, reported.error, reported.at)
    if changes:
        for text in changes:
            recording.note(message.delivery, recording.What.STATUS, f"{ContactChannel(message.channel).label}: {text}.")
        if reported.mark == AddressMark.WINDOW_CLOSED:
            channel.window_closed(message.delivery)
        follow_up.after_bounce(message.delivery)
    return True


def _meant(organization_id: UUID, system_id: UUID, reported: ProviderStatus) -> Message | None:
    """By our own id if the provider repeats it: it is known even before the provider's answer arrives."""
    ways = [Q(delivery_id=reported.delivery_id)] if reported.delivery_id else []
    ways += [Q(provider_id=reported.provider_id)] if reported.provider_id else []
    rows = (
        Message.objects.select_for_update(of=("self",))
        .select_related("delivery__system", "delivery__event", "delivery__contact")
        .filter(organization_id=organization_id, delivery__system_id=system_id)
    )
    return next((message for way in ways if (message := rows.filter(way).order_by("id").first())), None)


def _changes(message: Message, reported: ProviderStatus) -> list[str]:
    """Store what is new, and return it in words. The row is locked."""
    row = Message.objects.filter(id=message.id)
    row.filter(provider_id="").update(provider_id=reported.provider_id)
    changes = [reported.remark] if reported.remark else []
    if reported.status:
        new = getattr(message, statuses.TIMES[reported.status]) is None
        statuses.merge(row, reported.status, reported.at)
        if reported.status == Status.FAILED:
            row.filter(failure="").update(failure=reported.failure[:_LONGEST])
        if new:
            changes.append(f"{reported.status.label.lower()}{f' ({reported.failure})' if reported.failure else ''}")
    if reported.mark:
        changes += _mark(message, reported.mark, reported)
    return changes


def _mark(message: Message, mark: AddressMark, reported: ProviderStatus) -> list[str]:
    channel, of = (
        ContactChannel(message.channel),
        (message.organization_id, ContactChannel(message.channel), message.address),
    )
    row = Message.objects.filter(id=message.id)
    new = False
    if (
        mark is AddressMark.BOUNCED
        and not CHANNELS[channel].may_bounce_when_delivered
        and message.status in {Status.DELIVERED, Status.READ}
    ):
        return []  # late, about a phone that has already shown the message
    if mark is AddressMark.BOUNCED:
        new = message.bounced_at is None
        row.update(bounced_at=Least(F("bounced_at"), reported.at))
        address_marks.bounced(*of, reported.at, reported.failure)
    elif mark is AddressMark.COMPLAINED:
        new = message.complained_at is None
        row.update(complained_at=Least(F("complained_at"), reported.at))
        address_marks.complained(*of, reported.at)
    elif mark is AddressMark.OPTED_OUT:
        new = address_marks.opted_out(*of, reported.at, by=reported.failure or f"{channel.label}'s provider")
    else:
        address_marks.window_closed(*of, reported.at)
    return [f"{mark.value}: {channel.label} is no longer used for this address"] if new else []
