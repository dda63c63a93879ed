"""``python -m bench.seed``: makes an organization, weddings and a connected VenueMaster; prints a sender's data."""

import argparse
import json
import os
import secrets
import sys
from datetime import date, time, timedelta

import django

FIRST_DAY = date(2027, 5, 1)


def seed(weddings: int) -> dict[str, object]:
    """Make the rows; returns the fields of :class:`bench.ground.Facts`."""
    from integrations.models import Connection, ConnectionSecret, ExternalReference, System
    from wedsync import vault
    from wedsync.weddings.models import ApiKey, Organization, Wedding

    secret = secrets.token_urlsafe(32)
    organization = Organization.objects.create(name="Bench Weddings", slug=f"bench-{secrets.token_hex(4)}")
    system = System.objects.create(
        organization=organization, name="VenueMaster", kind=System.Kind.VENUE_MASTER, base_url="https://venue.example"
    )
    connection = Connection.objects.create(organization=organization, system=system)
    ConnectionSecret.objects.create(connection=connection, sealed=vault.encrypt(secret))
    made = Wedding.objects.bulk_create(
        Wedding(
            organization=organization,
            couple=f"Anna & Ben {number}",
            date=FIRST_DAY + timedelta(days=number),
            venue_name="Seehof am Attersee",
            timezone="Europe/Vienna",
            ceremony_time=time(15),
            reception_time=time(18),
            guest_count=110,
            capacity=150,
        )
        for number in range(weddings)
    )
    references = [
        ExternalReference(organization=organization, system=system, external_id=f"BK-{number}", wedding=wedding)
        for number, wedding in enumerate(made)
    ]
    ExternalReference.objects.bulk_create(references)
    return {
        "organization": str(organization.id),
        "connection": connection.id,
        "secret": secret,
        "token": ApiKey.issue(organization, "bench")[1],
        "bookings": [reference.external_id for reference in references],
    }


def main() -> None:
    """Read the arguments, make the rows, print the facts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weddings", type=int, default=50)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    django.setup()
    json.dump(seed(arguments.weddings), sys.stdout)


if __name__ == "__main__":
    main()
