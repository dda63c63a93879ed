"""``manage.py send_fixture <vendor> <fixture>``: signs a fixture as its vendor would, and posts it."""

import json
import secrets
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.models import Connection, ConnectionSecret, ExternalReference
from integrations.systems.connection_secrets import live_secret
from integrations.vendors import VENDORS
from integrations.vendors.base import COMMON_ALIASES, Vendor
from webhooks.vendor_events.receiver import PREFIX
from wedsync import vault
from wedsync.env import ConfigurationError

FIXTURES = Path(__file__).parents[3] / "tests" / "integrations" / "vendors"
DEADLINE = 10.0  # seconds
_CHOOSE = "Choose one with --connection"


class Command(BaseCommand):
    """For vendors' developers, and for anyone who wants to see something happen."""

    help = "Sign a fixture with a connection's newest secret, and post it to a running server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options; the defaults make a new event now."""
        parser.add_argument("vendor", help=f"one of {', '.join(VENDORS)}")
        parser.add_argument("fixture", help="a fixture's name, an event type with only one fixture, or a file's path")
        parser.add_argument("--connection", metavar="ID", help="needed if the vendor has several")
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="the server (%(default)s)")
        parser.add_argument("--keep-id", action="store_true", help="send the fixture's own id, as a repetition would")
        parser.add_argument("--keep-time", action="store_true", help="send the fixture's own time")
        parser.add_argument("--booking", action="store_true", help="use a booking that we know from the system")

    def handle(self, *args: Any, vendor: str, fixture: str, connection: str | None, url: str, **options: Any) -> None:
        """Send it and print the answer; exits with 1 if it was refused."""
        adapter = VENDORS.get(vendor)
        if adapter is None:
            raise CommandError(f"There is no vendor {vendor}. There are: {', '.join(VENDORS)}.")
        envelope = read(find(vendor, fixture))
        row = choose(vendor, connection)
        if not options["keep_id"]:
            envelope["id"] = f"{str(envelope.get('id', 'fixture'))[:150]}-{secrets.token_hex(6)}"
        if not options["keep_time"]:
            envelope["timestamp"] = datetime.now(UTC).isoformat()
        if options["booking"]:
            name_booking(adapter, envelope, row)
        address = f"{url.rstrip('/')}{PREFIX}/{row.id}"
        self.stdout.write(f"POST {address}\n{envelope.get('eventType')} {envelope['id']}")
        answer = post(address, adapter, json.dumps(envelope, ensure_ascii=False).encode(), newest_secret(row))
        self.stdout.write(f"{answer.status_code} {_phrase(answer.status_code)}\n{answer.text}")
        if not answer.ok:
            sys.exit(1)


def find(vendor: str, fixture: str) -> Path:
    """The fixture's file.

    Raises:
        CommandError: no match or several; lists them.
    """
    if fixture.endswith(".json") and Path(fixture).is_file():
        return Path(fixture)
    every = sorted((FIXTURES / vendor).glob("*.json"))
    name = fixture.removesuffix(".json")
    exact = [path for path in every if path.stem == name]
    found = exact or [path for path in every if path.stem.startswith(f"{name}__")]
    if len(found) == 1:
        return found[0]
    listed = "".join(f"\n  {path.stem}" for path in found or every) or f"\n  none in {FIXTURES / vendor}"
    wrong = f"Several fixtures of {vendor} are" if found else f"No file and no fixture of {vendor} is"
    raise CommandError(f"{wrong} called {fixture}. There are:{listed}")


def read(path: Path) -> dict[str, Any]:
    """The envelope in a file.

    Raises:
        CommandError: the file contains none.
    """
    try:
        envelope = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error
    if not isinstance(envelope, dict):
        raise CommandError(f"{path} contains no envelope: it must be one JSON object.")
    return envelope


def choose(vendor: str, connection_id: str | None) -> Connection:
    """The vendor's connection.

    Raises:
        CommandError: there is none, or several and none was chosen; lists them.
    """
    rows = Connection.objects.filter(system__kind=vendor).exclude(state=Connection.Status.DISABLED)
    every = list(rows.select_related("system__organization").order_by("system__organization__name", "id"))
    chosen = [row for row in every if connection_id in {None, row.id}]
    if len(chosen) == 1:
        return chosen[0]
    listed = "".join(f"\n  {row.id}  {row.system} of {row.system.organization} ({row.state})" for row in every)
    if not every:
        raise CommandError(f"{vendor} has no connection that is open. Make one in the admin.")
    if connection_id is None:
        raise CommandError(f"{vendor} has several connections. {_CHOOSE}:{listed}")
    raise CommandError(f"{vendor} has no open connection {connection_id}. {_CHOOSE}:{listed}")


def newest_secret(row: Connection) -> str:
    """The secret that the vendor should sign with now.

    Raises:
        CommandError: none is live, or it cannot be decrypted.
    """
    live = ConnectionSecret.objects.filter(live_secret(), connection=row, purpose=ConnectionSecret.Purpose.SIGNING)
    newest = live.order_by("-created_at", "-id").first()
    if newest is None:
        raise CommandError(f"The connection {row.id} has no live secret. Make one in the admin: New secret.")
    try:
        return vault.decrypt(newest.sealed)
    except ConfigurationError as error:
        raise CommandError(f"The secret of {row.id} cannot be read: {error}.") from error


def name_booking(vendor: Vendor, envelope: dict[str, Any], row: Connection) -> None:
    """Replace the fixture's booking by the system's first one.

    Raises:
        CommandError: we know none of the system, or the fixture names none.
    """
    reference = ExternalReference.objects.filter(system=row.system, kind=ExternalReference.Kind.BOOKING)
    first = reference.order_by("id").values_list("external_id", flat=True).first()
    if first is None:
        raise CommandError(f"{row.system} has no external reference to a booking. Make one in the admin.")
    payload = envelope.get("payload")
    names = [name for name in payload if _means_booking(vendor, name)] if isinstance(payload, dict) else []
    if not names:
        raise CommandError("The fixture's payload names no booking, so --booking has nothing to fill.")
    envelope["payload"] = {**envelope["payload"], **dict.fromkeys(names, first)}


def _means_booking(vendor: Vendor, name: str) -> bool:
    return "booking_id" in {name, vendor.aliases.get(name), COMMON_ALIASES.get(name)}


def post(address: str, vendor: Vendor, body: bytes, secret: str) -> requests.Response:
    """Sign and send the body.

    Raises:
        CommandError: no server answered.
    """
    signed = vendor.signature.sign(body, secret, datetime.now(UTC).timestamp())
    headers = {"Content-Type": "application/json", "User-Agent": "WedSync send_fixture", **signed}
    try:
        with requests.Session() as session:
            session.trust_env = False  # the shell's proxy would not reach this machine
            return session.post(address, data=body, headers=headers, timeout=DEADLINE, allow_redirects=False)
    except requests.RequestException as error:
        kind = type(error).__name__
        raise CommandError(f"Nothing answers at {address} ({kind}). Is the server running? See --url.") from error


def _phrase(code: int) -> str:
    return HTTPStatus(code).phrase if code in set(HTTPStatus) else ""
