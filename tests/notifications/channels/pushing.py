"""A wedding whose people have asked for notifications, in browsers that the sandbox plays."""

from __future__ import annotations

from typing import Any

from integrations.models import Delivery
from notifications.channels.web_push import keys, subscriptions
from tests.factories import ContactFactory
from tests.sandbox.sandbox_peer import Peer
from wedsync.live.models import ChannelEvent
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, Wedding


def reader(wedding: Wedding, **fields: Any) -> Contact:
    """Somebody of the couple who can be reached by email too."""
    made: Contact = ContactFactory(
        organization=wedding.organization, wedding=wedding, role="couple", phone="", **{"locale": "en", **fields}
    )
    return made


def subscribe(contact: Contact, outside: Peer, name: str = "Anna's phone") -> dict[str, Any]:
    """A browser of theirs subscribes; returns what its page got."""
    given = outside.browser(keys.public_key(), name)
    subscriptions.subscribe(personal_links.issue(contact), subscriptions.read(given), name)
    return given


def pushes(event: ChannelEvent) -> list[Delivery]:
    """The deliveries to browsers, oldest first."""
    return list(Delivery.objects.filter(event=event, channel="web_push").order_by("id"))
