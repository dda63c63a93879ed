"""``manage.py seed_demo``: the demo organization; run by ``make run`` at each start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.systems import key_check
from wedsync.demo.seed import NotADemo, seed


class Command(BaseCommand):
    """The command, which is safe to repeat."""

    help = "Create or refresh the demo organization, and write demo.json and sandbox.json into $WEDSYNC_HOME."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed.

        Raises:
            CommandError: this copy is not a demo.
        """
        key_check.verify()
        try:
            facts = seed()
        except NotADemo as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"demo wedding {facts['wedding']['id']} is on {facts['wedding']['date']}")
