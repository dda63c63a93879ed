"""``manage.py reencrypt_secrets``: brings every stored secret under the newest key, so that older keys can go."""

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

BATCH = 200


@dataclass
class Tally:
    """What became of one kind of secrets. ``unreadable``: the rows that no key opens."""

    about: str
    rotated: int = 0
    newest_already: int = 0
    unreadable: list[str] = field(default_factory=list)


class Command(BaseCommand):
    """May run beside the product, and again: each row is a conditional write of its own."""

    help = "Encrypt all stored credentials and secrets with the newest key of WEDSYNC_SECRET_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through all rows; exits with 1 when some cannot be read."""
        startup.verify()
        tallies = [
            self._rotate_all(Tally("systems' credentials"), System, "sealed_credentials"),
            self._rotate_all(Tally("connections' secrets"), ConnectionSecret, "sealed"),
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
                self.stdout.write(f"{tally.about}: {number} looked at")
        return tally

    def _conclude(self, lost: Iterable[str]) -> None:
        older = len(settings.SECRET_KEYS) - 1
        lines = [f"  {line}" for line in lost]
        if lines:
            self.stderr.write("No key in WEDSYNC_SECRET_KEYS opens these:\n" + "\n".join(lines))
            self.stderr.write(
                "Put the key that made them back into the list and run this again, or enter these secrets anew. "
                "Until then drop no key."
            )
        elif older:
            self.stdout.write(
                f"All secrets are under the newest key. The {older} older key(s) can be dropped from "
                "WEDSYNC_SECRET_KEYS, once every process runs with the present list."
            )
        else:
            self.stdout.write("All secrets are under the only key. There is no older one to drop.")


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
    """Bring one row under the newest key, unless somebody writes it at the same moment; then look at it again."""
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
    """Whether nobody needs it any more: a connection's secret that no longer counts."""
    return row.model is ConnectionSecret and not row.filter(live_secret()).exists()


def _described(model: type[Model], row_id: Any) -> str:
    """Where to find the row, without a word of what it holds."""
    if model is System:
        found = System.objects.select_related("organization").get(pk=row_id)
        return f"system {found.name} of {found.organization} ({row_id})"
    secret = ConnectionSecret.objects.select_related("connection__system__organization").get(pk=row_id)
    owner = f"{secret.connection.system} of {secret.connection.system.organization}"
    return f"{secret} of connection {secret.connection_id}, {owner}"
