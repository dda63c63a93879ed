"""``manage.py try_system``: tries whether systems accept their credentials, by calls that change nothing."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from integrations.models import System
from integrations.systems.trials import Trial, TrialResult, try_out

_COLOURS = {TrialResult.TAKEN: "green", TrialResult.NO_CALL: "dim"}


class Command(BaseCommand):
    """Does the same as the button **Try it now** on a system's page."""

    help = "Try the credentials of one system or of all, by a call that changes nothing if the provider has one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """An organization and the name of a system, or ``--all``."""
        parser.add_argument("organization", nargs="?", help="the organization's slug; with --all: only its systems")
        parser.add_argument("system", nargs="?", help="the system's name, as on its page")
        parser.add_argument("--all", action="store_true", dest="every", help="all systems except disabled ones")

    def handle(self, *args: Any, organization: str | None, system: str | None, every: bool, **options: Any) -> None:
        """Print a row for each; ends with an error if any system has a problem."""
        tried = [(each, try_out(each)) for each in _chosen(organization, system, every=every)]
        console = Console(force_terminal=self.stdout.isatty())
        with console.capture() as written:
            console.print(_table(tried))
        self.stdout.write(written.get())
        if not all(trial.result.is_well for _, trial in tried):
            raise CommandError("Not every system accepted its credentials; the table says what to do.")


def _chosen(organization: str | None, name: str | None, *, every: bool) -> Iterable[System]:
    rows = System.objects.select_related("organization").order_by("organization__slug", "name")
    if every == (name is not None) or (organization is None and not every):
        raise CommandError("Give an organization's slug and a system's name, or --all.")
    if organization is not None:
        rows = rows.filter(organization__slug=organization)
    rows = rows.exclude(state=System.Status.DISABLED) if every else rows.filter(name=name)
    found = list(rows)
    if not found:
        raise CommandError("There is no such system. The admin lists the systems by name.")
    return found


def _table(tried: Iterable[tuple[System, Trial]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in ("organization", "system", "kind", "credentials", "what happened", "what to do"):
        table.add_column(column, overflow="fold")
    for system, trial in tried:
        colour = _COLOURS.get(trial.result, "red")
        result = f"[{colour}]{trial.result.label}[/]"
        names = (escape(system.organization.slug), escape(system.name), escape(system.get_kind_display()))
        table.add_row(*names, result, escape(trial.said), escape(trial.advice))
    return table
