"""The demo organization: a wedding that is always today, its people, its systems (all played by the sandbox).

Run at each start; changes only what is missing, and moves the wedding to today in its venue's zone.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.defaults import Teams, make_routes
from integrations.models import Connection, ConnectionSecret, ExternalReference, System
from notifications.channels.whatsapp import TEMPLATES
from wedsync import vault
from wedsync.demo.secret_values import DemoSecrets, load_or_make, write_private
from wedsync.weddings.models import Address, ApiKey, Channel, Contact, Form, Membership, Organization, Wedding

ZONE = "Europe/Vienna"
ORGANIZATION = "lakeside-weddings"
ADMIN = "admin"
MAIL_DOMAIN = "wedsync.example"
_Kind, _Role = System.Kind, Contact.Role


@dataclass(frozen=True)
class Person:
    """A contact of the demo wedding; phone numbers are of the range kept for fiction."""

    name: str
    role: Contact.Role
    phone: str
    call_order: int | None = None
    quiet: tuple[time, time] | None = None

    @property
    def email(self) -> str:
        """A mail address made from the name."""
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


@transaction.atomic
def seed() -> dict[str, Any]:
    """Make the demo and write ``demo.json`` and ``sandbox.json``; returns what stands in ``demo.json``."""
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
    systems = _systems(organization, secret)
    make_routes(organization, _teams(systems))
    doors = {
        "venue_master": _door(
            systems["VenueMaster"], wedding, secret.venue_master_inbound, secret.venue_master_booking
        ),
        "studio_cloud": _door(
            systems["Studio Cloud"], wedding, secret.studio_cloud_inbound, secret.studio_cloud_booking
        ),
    }
    facts = _facts(organization, wedding, form, doors, systems, secret)
    write_private(home / "demo.json", facts)
    write_private(home / "sandbox.json", _sandbox(secret))
    return facts


def _admin(organization: Organization, secret: DemoSecrets) -> None:
    user, _ = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    if not user.check_password(secret.admin_password):
        user.set_password(secret.admin_password)
        user.save()
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


def _contact(wedding: Wedding, person: Person) -> None:
    quiet_from, quiet_until = person.quiet or (None, None)
    Contact.objects.get_or_create(
        organization=wedding.organization,
        wedding=wedding,
        name=person.name,
        defaults={
            "role": person.role,
            "phone": person.phone,
            "email": person.email,
            "timezone": ZONE,
            "call_order": person.call_order,
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
        },
    )
    Address.objects.get_or_create(
        organization=wedding.organization,
        channel=Channel.WHATSAPP,
        value=person.phone,
        defaults={"consented_at": timezone.now(), "consent_source": "demo: signed the wedding's contact sheet"},
    )


def _systems(organization: Organization, secret: DemoSecrets) -> dict[str, System]:
    sandbox = settings.SANDBOX_URL
    sender = f"Lakeside Weddings <hello@{MAIL_DOMAIN}>"
    rows: list[tuple[str, System.Kind, str, dict[str, str]]] = [
        ("WhatsApp", _Kind.WHATSAPP, "whatsapp", {
            "access_token": secret.whatsapp_token, "phone_number_id": secret.whatsapp_number_id}),
        ("#wedding-coordination", _Kind.SLACK, "slack", {"webhook_path": secret.slack_coordination}),
        ("#planning", _Kind.SLACK, "slack", {"webhook_path": secret.slack_planning}),
        ("#catering", _Kind.SLACK, "slack", {"webhook_path": secret.slack_catering}),
        ("Email", _Kind.EMAIL, "resend", {"api_key": secret.resend_key, "from": sender}),
        ("Studio Cloud", _Kind.STUDIO_CLOUD, "studio_cloud", {
            "access_token": secret.studio_cloud_token, "signing_secret": secret.studio_cloud_signing}),
        ("VenueMaster", _Kind.VENUE_MASTER, "venue_master", {
            "access_token": secret.venue_master_token, "signing_secret": secret.venue_master_signing}),
    ]  # fmt: skip
    return {name: _connected(organization, name, kind, f"{sandbox}/{path}", own) for name, kind, path, own in rows}


def _connected(
    organization: Organization, name: str, kind: System.Kind, base_url: str, credentials: dict[str, str]
) -> System:
    """The system, with the sandbox's address of this start."""
    system, made = System.objects.get_or_create(
        organization=organization, name=name, defaults={"kind": kind, "base_url": base_url}
    )
    if made:
        system.seal_credentials(credentials)
    system.base_url = base_url
    system.save()
    return system


def _teams(systems: dict[str, System]) -> Teams:
    return Teams(
        photography=systems["Studio Cloud"],
        venue=systems["VenueMaster"],
        coordination=systems["#wedding-coordination"],
        planning=systems["#planning"],
        catering=systems["#catering"],
    )


def _door(system: System, wedding: Wedding, inbound_secret: str, booking: str) -> dict[str, str]:
    ExternalReference.objects.get_or_create(
        organization=system.organization, system=system, external_id=booking, defaults={"wedding": wedding}
    )
    connection, made = Connection.objects.get_or_create(organization=system.organization, system=system)
    if made:
        ConnectionSecret.objects.create(connection=connection, sealed=vault.encrypt(inbound_secret))
    url = f"{settings.PUBLIC_URL}/api/webhooks/channel-events/{connection.id}"
    return {"id": connection.id, "url": url, "secret": inbound_secret, "booking_id": booking}


def _facts(
    organization: Organization,
    wedding: Wedding,
    form: Form,
    doors: dict[str, dict[str, str]],
    systems: dict[str, System],
    secret: DemoSecrets,
) -> dict[str, Any]:
    """The contract for scripts and clients that play with a running demo."""
    return {
        "base_url": settings.PUBLIC_URL,
        "ws_url": settings.PUBLIC_URL.replace("http", "ws", 1) + "/ws/channels/",
        "sandbox_url": settings.SANDBOX_URL,
        "admin": {"username": ADMIN, "password": secret.admin_password},
        "api_token": secret.api_token,
        "organization": str(organization.id),
        "wedding": {"id": str(wedding.id), "date": wedding.date.isoformat(), "timezone": wedding.timezone},
        "form": {"id": str(form.id)},
        "connections": doors,
        "channels": {
            "couple": f"couple:dashboard:{wedding.id}",
            "supplier": f"supplier:dashboard:{systems['VenueMaster'].id}",
            "photography": f"supplier:photography:{organization.id}",
            "urgent": f"urgent:wedding-day:{organization.id}",
        },
    }


def _sandbox(secret: DemoSecrets) -> dict[str, Any]:
    """The accounts that the sandbox plays."""
    slack = {
        "#wedding-coordination": secret.slack_coordination,
        "#planning": secret.slack_planning,
        "#catering": secret.slack_catering,
    }
    whatsapp = {
        "phone_number_id": secret.whatsapp_number_id,
        "access_token": secret.whatsapp_token,
        "display_phone_number": "+12025550100",
        "app_secret": secret.whatsapp_app_secret,
        "verify_token": secret.whatsapp_verify_token,
        "callback_url": None,
        "templates": list(TEMPLATES.values()),
    }
    resend = {
        "api_key": secret.resend_key,
        "domains": [MAIL_DOMAIN],
        "webhook_secret": secret.resend_webhook_secret,
        "callback_url": None,
    }
    return {
        "whatsapp": {"accounts": [whatsapp]},
        "slack": {
            "webhooks": [{"path": path, "channel": channel} for channel, path in slack.items()],
            "signing_secret": secret.slack_signing_secret,
            "callback_url": None,
        },
        "resend": {"accounts": [resend]},
        "studio_cloud": {"access_token": secret.studio_cloud_token, "signing_secret": secret.studio_cloud_signing},
        "venue_master": {"access_token": secret.venue_master_token, "signing_secret": secret.venue_master_signing},
    }
