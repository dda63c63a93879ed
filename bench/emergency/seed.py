"""``python -m bench.emergency.seed``: makes rows of the demo's organization, in a running copy's environment."""

import json
import os
import sys
from datetime import timedelta
from typing import Any

import django

PEOPLE = 20


def people() -> dict[str, Any]:
    """Give the demo wedding 20 people; returns the first and second in the call order."""
    from django.utils import timezone

    from wedsync.weddings.models import Address, Contact, Wedding

    wedding = Wedding.objects.get(organization__slug="lakeside-weddings")
    for number in range(PEOPLE - Contact.objects.filter(wedding=wedding).count()):
        phone = f"+1202555{200 + number:04d}"
        own = {"name": f"Guest {number}", "role": "vendor", "phone": phone, "email": f"guest{number}@people.example"}
        Contact.objects.create(organization=wedding.organization, wedding=wedding, timezone=wedding.timezone, **own)
        Address.objects.create(
            organization=wedding.organization,
            channel="whatsapp",
            value=phone,
            consented_at=timezone.now(),
            consent_source="signed the contact sheet",
        )
    everybody = Contact.objects.filter(wedding=wedding)
    called = list(everybody.filter(call_order__isnull=False).order_by("call_order"))
    return {
        "count": everybody.count(),
        "phones": list(everybody.values_list("phone", flat=True)),
        "emails": list(everybody.values_list("email", flat=True)),
        "called": [{"name": each.name, "phone": each.phone, "email": each.email} for each in called[:2]],
    }


def backlog(count: int) -> dict[str, Any]:
    """Make waiting messages of normal priority, half of them WhatsApps to as many phones, half of them emails."""
    from django.db import transaction
    from django.utils import timezone

    from integrations.models import Delivery, System
    from wedsync.ids import new_id
    from wedsync.live.log.writer import NewEvent, append
    from wedsync.live.models import ChannelEvent
    from wedsync.weddings.models import Address, Organization

    organization = Organization.objects.get(slug="lakeside-weddings")
    wedding = organization.weddings.get()
    systems = {
        kind: System.objects.filter(organization=organization, kind=kind).first() for kind in ("whatsapp", "email")
    }
    event = NewEvent(
        organization.id,
        wedding.id,
        "form.submitted",
        {"wedding_id": str(wedding.id), "form_id": str(new_id()), "answers": {"seat": "near the window"}},
        timezone.now(),
        ChannelEvent.Source.WEDSYNC,
        [f"couple:dashboard:{wedding.id}"],
    )
    with transaction.atomic():
        (stored,) = append([event])
        ChannelEvent.objects.filter(id=stored.id).update(routing=ChannelEvent.Routing.ROUTED)
        phones = [f"+1415555{number:04d}" for number in range(count // 2)]
        Address.objects.bulk_create(
            Address(organization=organization, channel="whatsapp", value=phone, consented_at=timezone.now())
            for phone in phones
        )
        targets = [("whatsapp", phone) for phone in phones]
        targets += [("email", f"waits{number}@people.example") for number in range(count - len(phones))]
        Delivery.objects.bulk_create(
            Delivery(
                organization=organization,
                event=stored,
                system=systems[channel],
                channel=channel,
                target=target,
                dedupe_key=Delivery.key(stored.id, "people", target, channel),
                priority="normal",
                expires_at=timezone.now() + timedelta(days=1),
            )
            for channel, target in targets
        )
    return {"waiting": count}


def breaker(*, opens: bool) -> dict[str, Any]:
    """Open or close the breaker of the demo's WhatsApp, as staff would."""
    from integrations.admission import breakers
    from integrations.models import System

    system = System.objects.get(organization__slug="lakeside-weddings", kind="whatsapp")
    if opens:
        breakers.trip(system, seconds=600)
    else:
        breakers.reset(system)
    return {}


def waiting() -> dict[str, Any]:
    """How many messages of normal priority still wait."""
    from integrations.models import Delivery
    from integrations.states import WAITING

    return {"waiting": Delivery.objects.filter(priority="normal", state__in=list(WAITING)).count()}


def main(words: list[str]) -> None:
    """Run one command, and print its result."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    django.setup()
    match words:
        case ["people"]:
            result = people()
        case ["backlog", count]:
            result = backlog(int(count))
        case ["trip" | "untrip" as which]:
            result = breaker(opens=which == "trip")
        case ["waiting"]:
            result = waiting()
        case _:
            raise SystemExit("people, backlog <count>, trip, untrip or waiting")
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
