"""``manage.py sync_clients``: reads the changed clients of each CRM now."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from integrations.remote_reads import client_sync


class Command(BaseCommand):
    """Does the same as the task that runs every quarter of an hour."""

    help = "Read the clients that changed in the connected CRMs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--system ID``, ``--anew``."""
        parser.add_argument("--system", type=UUID, help="only this system, by its id")
        parser.add_argument("--anew", action="store_true", help="all clients again, not only changed ones")

    def handle(self, *args: Any, system: UUID | None, anew: bool, **options: Any) -> None:
        """One line for each system."""
        failed = False
        for each in client_sync.readable():
            if system not in {None, each.id}:
                continue
            if anew:
                client_sync.start_over(each)
            row = client_sync.sync(each)
            failed = failed or bool(row.error)
            self.stdout.write(f"{each}: {row.error or f'seen {row.seen}, changed {row.changed} in all'}")
        if failed:
            raise CommandError("Not every system could be read.")
