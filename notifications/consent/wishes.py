"""What people want to receive, by category and channel. Without a preference, everything is wanted."""

from collections.abc import Iterable
from uuid import UUID

from notifications.models import Preference
from wedsync.weddings.models import Contact, ContactChannel

Unwanted = frozenset[tuple[UUID, str, str]]
"""Contact, category, channel."""
NOTHING: Unwanted = frozenset()


def unwanted(contacts: Iterable[Contact], category: str) -> Unwanted:
    """The channels on which these contacts do not want a category."""
    rows = Preference.objects.filter(contact__in=list(contacts), category=category, wanted=False)
    return frozenset(rows.values_list("contact_id", "category", "channel"))


def wanted(contact_id: UUID, category: str, channel: ContactChannel) -> bool:
    """Whether a contact wants a category on a channel."""
    rows = Preference.objects.filter(contact_id=contact_id, category=category, channel=channel, wanted=False)
    return not rows.exists()


def change(contact: Contact, category: str, channel: ContactChannel, *, wanted: bool, source: str) -> None:
    """Store whether a contact wants a category on a channel. ``source``: who said so."""
    Preference.objects.update_or_create(
        contact=contact, category=category, channel=channel, defaults={"wanted": wanted, "source": source}
    )
