"""The generic signed webhook: any URL that receives every event as it is. Contract: docs/vendors/webhook.md."""

from typing import ClassVar

from integrations.accounts.rules import ACCESS_TOKEN, PREVIOUS_SIGNING_SECRET, SIGNING_SECRET, AccountRules
from integrations.outbound import Request
from integrations.vendors.base import Harmless, Outgoing, json_request
from wedsync.live.event_types.catalogue import CATALOGUE


class SignedWebhook(AccountRules):
    """POSTs each event to the system's URL itself, in our names; has no names, ids or bookings of its own."""

    credentials = (ACCESS_TOKEN, SIGNING_SECRET, PREVIOUS_SIGNING_SECRET)
    label: ClassVar[str] = "Signed webhook"
    needs_no_booking: ClassVar[frozenset[str]] = frozenset(CATALOGUE)
    lists_clients: ClassVar[bool] = False
    tells_availability: ClassVar[bool] = False

    def harmless(self) -> Harmless | None:
        """``None``: any request to such a URL is an event."""
        return None

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The whole event. ``sequence`` counts ``channel``'s events."""
        event = outgoing.event
        body = {
            "channel": outgoing.channel,
            "organization": str(event.organization_id),
            "wedding_id": str(event.wedding_id) if event.wedding_id else None,
            "payload": event.payload,
        }
        return json_request("POST", "", outgoing, body)
