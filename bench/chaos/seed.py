"""``python -m bench.chaos.seed``: makes an organization whose events fan out to many targets; prints a sender's data.

Runs in the environment of a running copy, whose sandbox plays the targets. Each signed webhook has its own name at the
sandbox's receiver, so that one of them can fail alone.
"""

import json
import os
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import django

from bench.seed import seed

WEDDINGS = 40
NAMES = tuple(f"chaos-{number}" for number in range(1, 7))
"""The names of the signed webhooks at the sandbox's receiver."""
FOR_ALL = 2
"""How many of them get all event types, and so deliveries of all priorities; the others get only the first type."""
CHANNEL = "couple:dashboard:{weddingId}"
TIMELINE, GUESTS, GALLERY, EMERGENCY = (
    "timeline.updated",
    "guest_count.changed",
    "gallery.ready",
    "venue.emergency_reported",
)


def fan_out() -> dict[str, Any]:
    """Make the rows; returns the fields of :class:`bench.chaos.copy.Plan`."""
    from integrations.models import System
    from wedsync.weddings.models import Organization

    facts = seed(WEDDINGS)
    organization = Organization.objects.get(id=str(facts["organization"]))
    _settle_weddings(organization)
    accounts = json.loads((Path(os.environ["WEDSYNC_HOME"]) / "sandbox.json").read_text())
    sandbox = os.environ["WEDSYNC_SANDBOX_URL"]
    webhooks = []
    for number, name in enumerate(NAMES):
        types = [TIMELINE] if number >= FOR_ALL else [TIMELINE, GUESTS, GALLERY, EMERGENCY]
        webhooks.append(_system(organization, name, System.Kind.WEBHOOK, f"{sandbox}/webhook/{name}", {}, types))
    some, rental = webhooks[:FOR_ALL], accounts["party_rental"]
    venue = _system(organization, "PartyRental", System.Kind.PARTY_RENTAL, f"{sandbox}/party_rental", rental, [GUESTS])
    mail = _mail(organization, f"{sandbox}/resend", accounts["resend"]["accounts"][0])
    targets = {TIMELINE: webhooks, GUESTS: [*some, venue], GALLERY: [*some, mail], EMERGENCY: [*some, mail]}
    return {"facts": facts, "targets": targets, "systems": dict(zip(NAMES, webhooks, strict=True))}


def _settle_weddings(organization: Any) -> None:
    """Move weddings far from today, so that no priority is raised, and raise capacities, so that no event follows."""
    from wedsync.weddings.models import Contact, Wedding

    first = date.today() + timedelta(days=200)  # noqa: DTZ011 - any day far away
    weddings = list(Wedding.objects.filter(organization=organization).order_by("id"))
    for number, wedding in enumerate(weddings):
        wedding.date, wedding.capacity = first + timedelta(days=number), 100_000
    Wedding.objects.bulk_update(weddings, ["date", "capacity"])
    Contact.objects.bulk_create(
        Contact(
            organization=organization,
            wedding=wedding,
            name=f"Clara Moser {number}",
            role=Contact.Role.COORDINATOR,
            email=f"clara.{number}@people.example",
        )
        for number, wedding in enumerate(weddings)
    )


def _system(
    organization: Any, name: str, kind: str, base_url: str, credentials: dict[str, str], types: list[str]
) -> str:
    """A system that is booked for every wedding, and the route that leads to it."""
    from integrations.models import ExternalReference, Route, System
    from wedsync.weddings.models import Wedding

    system = System(organization=organization, name=name, kind=kind, base_url=base_url)
    system.seal_credentials(credentials)
    system.save()
    weddings = Wedding.objects.filter(organization=organization).order_by("id")
    ExternalReference.objects.bulk_create(
        ExternalReference(organization=organization, system=system, external_id=f"{name}-{number}", wedding=wedding)
        for number, wedding in enumerate(weddings)
    )
    Route.objects.create(
        organization=organization,
        name=f"to {name}",
        channel_pattern=CHANNEL,
        event_types=types,
        target=Route.Target.SYSTEM,
        system=system,
    )
    return str(system.id)


def _mail(organization: Any, base_url: str, account: dict[str, Any]) -> str:
    """Email, for urgent and low events, and its route to the coordinator."""
    from integrations.models import Route, System
    from wedsync.weddings.models import Contact

    system = System(organization=organization, name="Email", kind=System.Kind.EMAIL, base_url=base_url)
    system.seal_credentials({"api_key": account["api_key"], "from": f"Chaos <hello@{account['domains'][0]}>"})
    system.save()
    Route.objects.create(
        organization=organization,
        name="to the coordinator",
        channel_pattern=CHANNEL,
        event_types=[GALLERY, EMERGENCY],
        target=Route.Target.PEOPLE,
        roles=[Contact.Role.COORDINATOR],
        channels=["email"],
    )
    return str(system.id)


def main() -> None:
    """Make the rows, print the facts as JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    django.setup()
    json.dump(fan_out(), sys.stdout)


if __name__ == "__main__":
    main()
