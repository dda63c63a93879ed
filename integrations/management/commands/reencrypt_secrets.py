"""``manage.py reencrypt_secrets``: encrypts every stored secret with the newest key, so that older keys can go."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.models import Model, QuerySet

from integrations.models import ConnectionSecret, KeyCheck, System
from integrations.systems.connection_secrets import live_secret
from wedsync import startup, vault
from wedsync.env import ConfigurationError
from wedsync.weddings.models import Device

BATCH = 200


@dataclass
class Tally:
    """The counts for one kind of secrets. ``unreadable``: the rows that no key decrypts."""

    about: str
    rotated: int = 0
    newest_already: int = 0
    unreadable: list[str] = field(default_factory=list)


class Command(BaseCommand):
    """May run while the product runs, and repeatedly: each row is a separate conditional write."""

    help = "Encrypt all stored credentials and secrets with the newest key of WEDSYNC_SECRET_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through all rows; exits with 1 when some cannot be read."""
        startup.verify()
        tallies = [
            self._rotate_all(Tally("systems' credentials"), System, "sealed_credentials"),
            self._rotate_all(Tally("connections' secrets"), ConnectionSecret, "sealed"),
            self._rotate_all(Tally("people's devices"), Device, "sealed"),
        ]
        self.stdout.write(f"\n{'':24}{'encrypted again':>16}{'newest already':>16}{'unreadable':>12}")
        for tally in tallies:
            counts = f"{tally.rotated:16}{tally.newest_already:16}{len(tally.unreadable):12}"
            self.stdout.write(f"{tally.about:24}{counts}")
        lost = [line for tally in tallies for line in tally.unreadable]
        if not lost:
            _rotate(Tally("the check value"), KeyCheck, "sealed", 1)
        self._conclude(lost)
        if lost:
            sys.exit(1)

    def _rotate_all(self, tally: Tally, model: type[Model], column: str) -> Tally:
        for number, row_id in enumerate(_ids(model), start=1):
            _rotate(tally, model, column, row_id)
            if number % BATCH == 0:
                self.stdout.write(f"{tally.about}: {number} checked")
        return tally

    def _conclude(self, lost: Iterable[str]) -> None:
        older = len(settings.SECRET_KEYS) - 1
        lines = [f"  {line}" for line in lost]
        if lines:
            self.stderr.write("No key in WEDSYNC_SECRET_KEYS decrypts these:\n" + "\n".join(lines))
            self.stderr.write(
                "Put the key that encrypted them back into the list and run this again, or enter these secrets again. "
                "Until then remove no key."
            )
        elif older:
            self.stdout.write(
                f"All secrets are encrypted with the newest key. The {older} older key(s) can be removed from "
                "WEDSYNC_SECRET_KEYS once every process runs with the present list."
            )
        else:
            self.stdout.write("All secrets are encrypted with the only key. There is no older one to remove.")


def _ids(model: type[Model]) -> Iterator[UUID]:
    """All rows, a batch at a time, so that no transaction stays open."""
    last = UUID(int=0)
    while True:
        batch = list(
            model._default_manager.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]  # noqa: SLF001
        )
        yield from batch
        if not batch:
            return
        last = batch[-1]


def _rotate(tally: Tally, model: type[Model], column: str, row_id: UUID | int) -> None:
    """Encrypt one row with the newest key; if somebody writes it at the same moment, check it again."""
    row = model._default_manager.filter(pk=row_id)  # noqa: SLF001
    while True:
        before = row.values_list(column, flat=True).first()
        if not before:
            return
        try:
            after = vault.rotate(before)
        except ConfigurationError:
            if not _has_ended(row):
                tally.unreadable.append(_described(model, row_id))
            return
        if after == before:
            tally.newest_already += 1
            return
        if row.filter(**{column: before}).update(**{column: after}):
            tally.rotated += 1
            return


def _has_ended(row: QuerySet[Any]) -> bool:
    """Whether the row is no longer needed: a connection's secret that has expired."""
    return row.model is ConnectionSecret and not row.filter(live_secret()).exists()


def _described(model: type[Model], row_id: Any) -> str:
    """Where to find the row, without its content."""
    if model is System:
        found = System.objects.select_related("organization").get(pk=row_id)
        return f"system {found.name} of {found.organization} ({row_id})"
    secret = ConnectionSecret.objects.select_related("connection__system__organization").get(pk=row_id)
    owner = f"{secret.connection.system} of {secret.connection.system.organization}"
    return f"{secret} of connection {secret.connection_id}, {owner}"
