"""``manage.py demo_report``: the demo's people, and the state of each delivery of its events."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand
from django.utils import timezone

from integrations.models import Delivery
from notifications.rules.policy import quiet_until
from wedsync.demo.seed import ORGANIZATION
from wedsync.queues import Priority
from wedsync.weddings.models import Contact


class Command(BaseCommand):
    """The command, which only reads."""

    help = "Show the demo organization's people, and the deliveries of its events (all events, or those named)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command line."""
        parser.add_argument("events", nargs="*", type=UUID, metavar="EVENT", help="ids of events")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        people, deliveries = _people(), _deliveries(options["events"])
        if options["json"]:
            self.stdout.write(json.dumps({"people": people, "deliveries": deliveries}, ensure_ascii=False))
            return
        for row in [*people, *deliveries]:
            self.stdout.write("  ".join(str(value) for value in row.values() if value not in ("", None)))


def _people() -> list[dict[str, Any]]:
    now = timezone.now()
    return [
        {
            "name": contact.name,
            "role": contact.role,
            "whatsapp": contact.phone,
            "email": contact.email,
            "quiet": quiet_until(contact, Priority.HIGH, now) is not None,
        }
        for contact in Contact.objects.filter(organization__slug=ORGANIZATION).order_by("id")
    ]


def _deliveries(event_ids: list[UUID]) -> list[dict[str, Any]]:
    found = Delivery.objects.filter(organization__slug=ORGANIZATION).select_related("event", "system", "contact")
    if event_ids:
        found = found.filter(event_id__in=event_ids)
    return [
        {
            "id": str(delivery.id),
            "event": str(delivery.event_id),
            "event_type": delivery.event.type,
            "channel": delivery.channel,
            "target": delivery.contact.name if delivery.contact else delivery.system.name,
            "priority": delivery.priority,
            "state": delivery.state,
            "reason": delivery.state_reason,
            "attempts": delivery.attempt_count,
        }
        for delivery in found.order_by("id")
    ]
