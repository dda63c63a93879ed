"""``manage.py check_keys``: whether the keys are those of the database; part of every start."""

from typing import Any

from django.core.management.base import BaseCommand

from integrations.systems import key_check


class Command(BaseCommand):
    """Changes nothing but the check value of a database that has none."""

    help = (
        "Compare WEDSYNC_SECRET_KEYS with the database; ends with an error in words where they do not belong together."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare."""
        key_check.verify()
        self.stdout.write("The keys are this database's.")
