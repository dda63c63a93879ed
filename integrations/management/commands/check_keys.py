"""``manage.py check_keys``: checks that the keys belong to the database; part of every start."""

from typing import Any

from django.core.management.base import BaseCommand

from integrations.systems import key_check


class Command(BaseCommand):
    """Changes nothing, but makes the check value of a database that has none."""

    help = "Compare WEDSYNC_SECRET_KEYS with the database; ends with an error if they do not belong together."

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and say so."""
        key_check.verify()
        self.stdout.write("The keys belong to this database.")
