"""A contact has had events on a screen: that counts as read, never as acknowledged."""

from django.utils import timezone

from notifications import follow_up
from notifications.models import Notification, TraceEntry
from notifications.recipients import resolving
from notifications.trace import recording
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.live.seen import NewlySeen

MOST = 100  # events of one report, the newest


def apply(seen: NewlySeen) -> None:
    """Record what a report says, in its transaction, and continue the notifications that it answers.

    The trace of each event says so once per contact. A notification of the same person, under any of its contacts,
    has been read.
    """
    entries = ChannelEntry.objects.filter(
        channel=seen.channel, sequence__gt=seen.before, sequence__lte=seen.sequence
    ).order_by("-sequence")
    events = list(ChannelEvent.objects.filter(id__in=list(entries.values_list("event_id", flat=True)[:MOST])))
    known = set(
        TraceEntry.objects.filter(
            event__in=events, contact=seen.contact, what=TraceEntry.What.SEEN
        ).values_list("event_id", flat=True)
    )  # fmt: skip
    recording.store(_entry(seen, event) for event in events if event.id not in known)
    same_person = resolving.same_person(seen.contact)
    unread = Notification.objects.filter(event__in=events, contact__in=same_person, seen_at=None)
    ids = list(unread.values_list("id", flat=True))
    Notification.objects.filter(id__in=ids, seen_at=None).update(seen_at=seen.at)
    for notification_id in sorted(ids):
        follow_up.after_seen(notification_id)


def _entry(seen: NewlySeen, event: ChannelEvent) -> TraceEntry:
    zone = event.wedding.zone if event.wedding else timezone.get_default_timezone()
    text = f"{seen.contact.name} had it on screen at {seen.at.astimezone(zone):%H:%M:%S} ({zone})"
    entry = recording.of_event(event.organization_id, event.id, TraceEntry.What.SEEN, text)
    entry.recipient, entry.contact = f"contact:{seen.contact.id}", seen.contact
    return entry
