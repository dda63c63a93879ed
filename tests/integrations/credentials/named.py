"""Systems whose credentials are named in the environment, and a peer that repeats what it hears."""

from __future__ import annotations

import json
from datetime import date
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from django.db import connection

from integrations import tasks
from integrations.models import Attempt, Delivery, System
from tests.factories import (
    AddressFactory,
    ContactFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    WeddingFactory,
)
from wedsync.weddings.models import Address, ContactChannel

NAME = "WEDSYNC_CREDENTIAL_OF_LAKESIDE"
SENTINEL = "zebra-Quartz-7731"
SIGNING = "whsec_emVicmEtUXVhcnR6LTc3MzEtc2lnbmluZw=="


class Echo(BaseHTTPRequestHandler):
    """Tells back whatever it is told: in its answer's body, its headers, and wherever an id is looked for."""

    status: ClassVar[int] = 200
    heard: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = f"{self.path} {dict(self.headers.items())} {body}"
        type(self).heard.append(told)
        said = json.dumps({"id": told[-150:], "message": told, "name": told, "messages": [{"id": told}], "told": told})
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        self.wfile.write(said.encode())

    do_PUT = do_PATCH = do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def delivery(system: System, **rest: Any) -> Delivery:
    """One to the system that its kind's own sender carries."""
    mine = {"organization": system.organization}
    wedding = WeddingFactory(**mine, date=date(2030, 6, 19))
    ExternalReferenceFactory(**mine, system=system, wedding=wedding)
    event = EventFactory(
        **mine, wedding=wedding, type="booking.created", payload={"booking_id": "BK-1", "status": "new"}
    )
    if system.kind not in ContactChannel.values:
        made: Delivery = DeliveryFactory(**mine, event=event, system=system, **rest)
        return made
    phone = "+436601234567"
    anna = ContactFactory(**mine, wedding=wedding, name="Anna", email="anna@people.example", phone=phone, role="couple")
    Address.objects.filter(**mine).delete()
    for channel in ("whatsapp", "sms"):
        AddressFactory(**mine, channel=channel, value=phone)
    target = {"whatsapp": phone, "sms": phone, "slack": str(system.id), "email": "anna@people.example"}[system.kind]
    person = None if system.kind == "slack" else anna
    to_person: Delivery = DeliveryFactory(
        **mine, event=event, system=system, contact=person, channel=system.kind, target=target, **rest
    )
    return to_person


def complete(kind: str) -> dict[str, str]:
    """Credentials with which a system of the kind can be called."""
    return {
        "whatsapp": {"access_token": "token-of-whatsapp", "phone_number_id": "106540352242922"},
        "slack": {"webhook_path": "T01/B02/hush"},
        "sms": {"account_sid": "AC" + "0a" * 16, "auth_token": "token-of-twilio", "sender": "+12025550199"},
        "email": {"api_key": "key-of-mail", "from": "Lakeside <hello@lakeside.example>"},
        "web_push": {},
    }.get(kind, {"access_token": "token-of-vendor"})


def try_once(row: Delivery) -> Attempt:
    tasks.deliver.apply(args=[str(row.id)])
    return Attempt.objects.get(delivery=row, number=1)


def rows_with(text: str) -> list[str]:
    """The tables in which a text is found in any column."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE strpos(t::text, %s) > 0', [text])
            if cursor.fetchone()[0]:
                found.append(table)
    return found
