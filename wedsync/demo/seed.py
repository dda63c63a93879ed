"""The demo organization: a wedding that is always today, its people, and its systems, all played by the sandbox.

Run at each start; adds only what is missing, and moves the wedding to today in its venue's zone.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.models import Route
from integrations.routing.default_routes import COUPLE_DASHBOARD, Teams, make_routes
from notifications.links import couple_url
from notifications.models import Plan
from notifications.rules import plan_steps
from wedsync.demo import systems
from wedsync.demo.secret_values import DemoSecrets, load_or_make, write_private
from wedsync.live.channels import ops_channel
from wedsync.live.event_types.catalogue import Category
from wedsync.weddings import address_forms, personal_links
from wedsync.weddings.models import Address, ApiKey, Contact, ContactChannel, Form, Membership, Organization, Wedding

ZONE = "Europe/Vienna"
ORGANIZATION = "lakeside-weddings"
LOCAL_HOSTS = {"127.0.0.1", "::1", "localhost"}
ADMIN = "admin"
STAFF_MAIL = "staff@people.example"  # where the demo's alerts go, in addition to Slack
_Role = Contact.Role


@dataclass(frozen=True)
class Person:
    """A contact of the demo wedding; phone numbers are from the range reserved for fiction."""

    name: str
    role: Contact.Role
    phone: str
    call_order: int | None = None
    quiet: tuple[time, time] | None = None

    @property
    def email(self) -> str:
        """An email address made from the name."""
        return f"{self.name.split()[0].lower()}@people.example"


PEOPLE = (
    Person("Anna Gruber", _Role.COUPLE, "+12025550101"),
    Person("Ben Hofer", _Role.COUPLE, "+12025550102"),
    Person("Mia Lang", _Role.PHOTOGRAPHER, "+12025550103"),
    Person("Tom Berger", _Role.VENUE, "+12025550104", call_order=2),
    Person("Lena Wagner", _Role.CATERER, "+12025550105"),
    Person("Clara Moser", _Role.COORDINATOR, "+12025550106", call_order=1),
    Person("Kofi Steiner", _Role.VENDOR, "+12025550107", quiet=(time(21), time(9))),
)


class NotADemo(Exception):
    """This copy serves real people; the message says how that was recognized, and what to do."""


def check_demo() -> None:
    """Accept a copy that only its own machine can reach, and whose database is empty or the demo's.

    Raises:
        NotADemo: for any other copy: an administrator with a password in a file, and people with made-up numbers, would
            be added among real ones.
    """
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if settings.SECURE or host not in LOCAL_HOSTS:
        raise NotADemo(
            "The demo is created only where WEDSYNC_SECURE is 0 and WEDSYNC_PUBLIC_URL leads to this machine; it leads "
            f"to {settings.PUBLIC_URL}. Run the demo with `make run`, in a separate copy."
        )
    others = Organization.objects.exclude(slug=ORGANIZATION)
    if others.exists() and not (settings.WEDSYNC_HOME / "demo.json").exists():
        raise NotADemo(
            "The database of DATABASE_URL has organizations, and WEDSYNC_HOME has no earlier demo. "
            "Use an empty database."
        )


@transaction.atomic
def seed() -> dict[str, Any]:
    """Create the demo and write ``demo.json`` and ``sandbox.json``; returns the content of ``demo.json``.

    Raises:
        NotADemo: this copy is not a demo.
    """
    check_demo()
    home = settings.WEDSYNC_HOME
    secret = load_or_make(home / "keys" / "demo.json")
    organization, _ = Organization.objects.get_or_create(slug=ORGANIZATION, defaults={"name": "Lakeside Weddings"})
    _admin(organization, secret)
    wedding = _wedding(organization)
    for person in PEOPLE:
        _contact(wedding, person)
    form, _ = Form.objects.get_or_create(
        organization=organization,
        wedding=wedding,
        title="Change of plans",
        defaults={
            "wedding_fields": {"new_date": "date", "new_ceremony_time": "ceremony_time", "guests": "guest_count"}
        },
    )
    connected = systems.connect(organization, secret)
    make_routes(organization, _teams(connected))
    _notify_phone(wedding, secret)
    _plan_emergencies(organization)
    doors = systems.open_doors(connected, wedding, secret)
    facts = _facts(organization, wedding, form, doors, connected, secret)
    write_private(home / "demo.json", facts)
    write_private(home / "sandbox.json", systems.sandbox_accounts(secret, doors))
    return facts


def _admin(organization: Organization, secret: DemoSecrets) -> None:
    user, _ = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    if not user.check_password(secret.admin_password):
        user.set_password(secret.admin_password)
        user.save()
    if not user.email:
        user.email = STAFF_MAIL
        user.save(update_fields=["email"])
    Membership.objects.get_or_create(user=user, organization=organization, defaults={"role": Membership.Role.OWNER})
    ApiKey.objects.get_or_create(
        key_hash=ApiKey.hash_of(secret.api_token), defaults={"organization": organization, "name": "demo"}
    )


def _wedding(organization: Organization) -> Wedding:
    now = timezone.now()
    today = datetime.now(ZoneInfo(ZONE)).date()
    wedding, _ = Wedding.objects.get_or_create(
        organization=organization,
        couple="Anna & Ben",
        defaults={
            "date": today,
            "timezone": ZONE,
            "venue_name": "Seehof am Attersee",
            "ceremony_time": time(15),
            "reception_time": time(18),
            "reception_end": time(23, 30),
            "guest_count": 110,
            "capacity": 150,
        },
    )
    if wedding.date != today:
        wedding.date = today
        wedding.field_changed_at = {**wedding.field_changed_at, "date": now.isoformat()}
        wedding.save(update_fields=["date", "field_changed_at"])
    return wedding


def _couple_url(wedding: Wedding) -> str:
    """A link of the first of the couple, new at each start."""
    contact = wedding.contacts.filter(role=_Role.COUPLE).select_related("wedding").order_by("id")[0]
    return couple_url(personal_links.token_of(personal_links.issue(contact).id))


def _contact(wedding: Wedding, person: Person) -> None:
    quiet_from, quiet_until = person.quiet or (None, None)
    Contact.objects.get_or_create(
        organization=wedding.organization,
        wedding=wedding,
        name=person.name,
        defaults={
            "role": person.role,
            "phone": address_forms.phone(person.phone),
            "email": address_forms.email(person.email),
            "timezone": ZONE,
            "call_order": person.call_order,
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
        },
    )
    for channel in ContactChannel:
        if channel.needs_consent:
            Address.objects.get_or_create(
                organization=wedding.organization,
                channel=channel,
                value=channel.addresses.normalize(person.phone),
                defaults={"consented_at": timezone.now(), "consent_source": "demo: signed the wedding's contact sheet"},
            )


def _notify_phone(wedding: Wedding, secret: DemoSecrets) -> None:
    """Anna has asked for notifications on her phone, and is told of the venue's capacity there too."""
    anna = Contact.objects.get(wedding=wedding, name=PEOPLE[0].name)
    systems.subscribe_phone(anna, secret)
    Route.objects.get_or_create(
        organization=wedding.organization,
        name="Anna: capacity on her phone",
        defaults={
            "channel_pattern": COUPLE_DASHBOARD,
            "event_types": ["venue.capacity_updated", "venue.capacity_exceeded"],
            "target": Route.Target.PEOPLE,
            "contact": anna,
            "channels": [ContactChannel.WEB_PUSH.value],
        },
    )


def _plan_emergencies(organization: Organization) -> None:
    """As shipped, and a text message to each person who has read neither WhatsApp nor email in 20 seconds."""
    first, *others = plan_steps.shipped(Category.EMERGENCIES)
    by_text = plan_steps.Step((ContactChannel.SMS,), 20.0, plan_steps.Until.DELIVERED)
    at_once = tuple(channel for channel in first.channels if channel != ContactChannel.SMS)
    steps = [replace(first, channels=at_once, until=plan_steps.Until.READ), by_text, *others]
    Plan.objects.get_or_create(
        organization=organization,
        category=Category.EMERGENCIES,
        defaults={"steps": [step.as_json() for step in steps]},
    )


def _teams(connected: systems.Systems) -> Teams:
    return Teams(
        photography=connected["Studio Cloud"],
        venue=connected["VenueMaster"],
        coordination=connected[systems.COORDINATION],
        planning=connected[systems.PLANNING],
        catering=connected[systems.CATERING],
    )


def _facts(
    organization: Organization,
    wedding: Wedding,
    form: Form,
    doors: systems.Doors,
    connected: systems.Systems,
    secret: DemoSecrets,
) -> dict[str, Any]:
    """The facts that scripts and clients need to use a running demo."""
    return {
        "base_url": settings.PUBLIC_URL,
        "ws_url": settings.PUBLIC_URL.replace("http", "ws", 1) + "/ws/channels/",
        "sandbox_url": settings.SANDBOX_URL,
        "admin": {"username": ADMIN, "password": secret.admin_password},
        "api_token": secret.api_token,
        "organization": str(organization.id),
        "wedding": {"id": str(wedding.id), "date": wedding.date.isoformat(), "timezone": wedding.timezone},
        "form": {"id": str(form.id)},
        "couple_url": _couple_url(wedding),
        "connections": doors,
        "channels": {
            "couple": f"couple:dashboard:{wedding.id}",
            "supplier": f"supplier:dashboard:{connected['VenueMaster'].id}",
            "photography": f"supplier:photography:{organization.id}",
            "urgent": f"urgent:wedding-day:{organization.id}",
            "ops": ops_channel(organization.id),
        },
    }
