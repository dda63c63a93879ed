"""``manage.py new_epochs``: after a restore, makes clients notice that their positions are lost."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from wedsync.live.log import epochs
from wedsync.weddings.models import Organization


class Command(BaseCommand):
    """A restored log gives sequences again that clients have seen before, for other events."""

    help = "Give all live channels new epochs, so that clients from before a restore load their state again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--organization SLUG``."""
        parser.add_argument("--organization", help="only this organization, by its slug")

    def handle(self, *args: Any, organization: str | None, **options: Any) -> None:
        """One line for each organization."""
        rows = Organization.objects.order_by("slug")
        chosen = list(rows.filter(slug=organization) if organization else rows)
        if organization and not chosen:
            raise CommandError(f"No organization has the slug {organization}.")
        for each in chosen:
            count = epochs.renew(each.pk)
            self.stdout.write(f"{each.slug}: new epochs for {count} channels, and for those without events")
