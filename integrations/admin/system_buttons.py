"""Buttons on a system's page for its credentials, free days, clients and secrets. Each is offered where it applies."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from integrations.admin.buttons import ButtonAdmin, Question
from integrations.errors import DeliveryError
from integrations.models import ClientSync, System
from integrations.remote_reads import availability, client_sync
from integrations.remote_reads.availability import Availability, NotAsked
from integrations.systems import signing_secrets, trials
from integrations.vendors import CALLED
from wedsync.env import ConfigurationError
from wedsync.weddings.tenant_admin.forms import DATE_TYPED
from wedsync.weddings.tenant_admin.looks import button, column, show_once

SYSTEM_BUTTONS = ("try_it", "ask_availability", "sync_clients", "new_signing_secret", "end_previous_secret")
_ASK_TRIAL = (
    "Ask the other side whether it accepts our credentials, by a call that changes nothing there? It does not count as "
    "a delivery, and the system keeps its state. Save your changes first."
)
_ASK_ROTATION = (
    "Make a new secret to sign our requests? It is shown once. The present one also signs, so that the other side can "
    "switch without a gap; end it when they have."
)


class DayForm(forms.Form):
    """The day, and the number of guests."""

    date = forms.DateField(
        widget=UnfoldAdminDateWidget(attrs={"placeholder": "2027-06-19"}),
        error_messages={"invalid": DATE_TYPED},
        help_text="For example 2027-06-19.",
    )
    guests = forms.IntegerField(min_value=0, max_value=100_000, widget=UnfoldAdminIntegerFieldWidget())


class SyncForm(forms.Form):
    """Whether to read all clients again."""

    again = forms.BooleanField(
        label="All clients again",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="For use after contacts were linked. Otherwise only changes since the last run are read.",
    )


class SystemButtons(ButtonAdmin):
    """The buttons, for :class:`integrations.admin.systems.SystemAdmin`."""

    def is_offered(self, row: Any, path: str) -> bool:
        """Judged by the abilities of the system's kind."""
        match path:
            case "availability":
                return availability.can_be_asked(row)
            case "sync-clients":
                return client_sync.can_be_read(row)
            case "new-signing-secret":
                return row.kind in CALLED
            case "end-previous-secret":
                return row.kind in CALLED and signing_secrets.has_previous(row)
        return super().is_offered(row, path)

    @column("Clients")
    def clients_read(self, row: System) -> str:
        """How far the clients have been read."""
        found = ClientSync.objects.filter(system=row).first()
        return _progress(found) if found else "Not read yet."

    @button("Try it now", "try-it")
    def try_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try the stored credentials, and show what happened and what to do."""
        row = self._offered(request, object_id, "try-it")
        back, facts = self.page_of(row), []
        if request.method == "POST":
            trial = trials.try_out(row)
            told = [("Credentials", trial.result.label), ("What happened", trial.said), ("What to do", trial.advice)]
            facts = [(name, text) for name, text in told if text]
        act = "Try it again" if facts else "Try it now"
        return Question(f"Try it now: {row}", act, back, "" if facts else _ASK_TRIAL, facts).page(request, self)

    @button("Availability", "availability")
    def ask_availability(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the venue's system about a day, and show the answer."""
        row = self._offered(request, object_id, "availability")
        form = DayForm(request.POST if request.method == "POST" else None)
        facts: list[tuple[str, object]] = []
        if form.is_valid():
            try:
                facts = _answer(availability.check(row, form.cleaned_data["date"], form.cleaned_data["guests"]))
            except NotAsked as error:
                form.add_error(None, str(error))
            except DeliveryError as error:
                form.add_error(None, f"{row} could not be asked: {error}.")
        text = "Ask the venue's own system now whether a day is free."
        return Question(f"Availability: {row}", "Ask", self.page_of(row), text, facts, form).page(request, self)

    @button("Sync clients now", "sync-clients")
    def sync_clients(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Read the changed clients, as the task does every quarter of an hour."""
        row = self._offered(request, object_id, "sync-clients")
        form = SyncForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and row.state != System.Status.ACTIVE:
            form.add_error(None, f"{row} is {row.state}. Resume it first.")
        if not form.is_valid():
            text = "Read the changes to the system's clients, and apply them to our contacts?"
            back = self.page_of(row)
            return Question(f"Sync clients now: {row}", "Sync clients now", back, text, form=form).page(request, self)
        if form.cleaned_data["again"]:
            client_sync.start_over(row)
        return self.done(request, row, _progress(client_sync.sync(row)))

    @button("New signing secret", "new-signing-secret")
    def new_signing_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a secret and show it once; the present one also signs."""
        row = self._offered(request, object_id, "new-signing-secret")
        if request.method != "POST":
            question = Question(f"New signing secret: {row}", "New signing secret", self.page_of(row), _ASK_ROTATION)
            return question.page(request, self)
        try:
            made = signing_secrets.rotate_signing_secret(row)
        except ConfigurationError as error:
            return self.done(request, row, f"No secret was made: {error}.")
        self.log_change(request, row, "Made a new signing secret.")
        note = "Copy it now and give it to the other side. It is stored encrypted and not shown again."
        return show_once(request, self, row, title=f"Signing secret: {row}", note=note, facts={"Signing secret": made})

    @button("End the previous secret", "end-previous-secret")
    def end_previous_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sign with the newest secret only."""
        row = self._offered(request, object_id, "end-previous-secret")
        if request.method != "POST":
            text = "Sign with the newest secret only? A receiver still using the previous one will refuse our calls."
            title, label = f"End the previous secret: {row}", "End the previous secret"
            return Question(title, label, self.page_of(row), text).page(request, self)
        try:
            ended = signing_secrets.end_previous_secret(row)
        except ConfigurationError as error:
            return self.done(request, row, f"Nothing was changed: {error}.")
        return self.done(request, row, "Only the newest secret signs now." if ended else "There was no previous one.")

    def _offered(self, request: HttpRequest, object_id: str, path: str) -> System:
        row: System = self.row_to_press(request, object_id)
        if not self.is_offered(row, path):
            raise Http404
        return row


def _answer(found: Availability) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        (_day(found.date), "Free" if found.available else "Not available"),
        ("Asked for", f"{found.guests} guests"),
    ]
    if found.capacity is not None:
        facts.append(("Capacity", f"{found.capacity} guests"))
    return [*facts, ("The venue says", found.note)] if found.note else facts


def _day(date: dt.date) -> str:
    return f"{date:%A, %Y-%m-%d}"


def _progress(row: ClientSync) -> str:
    counts = f"{row.seen} read in all, {row.changed} changed a contact, {row.unknown} without a contact"
    broken = f", {row.refused} could not be read" if row.refused else ""
    if row.error:
        return f"Stopped early: {row.error}. {counts}{broken}."
    end = f"up to date at {row.finished_at:%Y-%m-%d %H:%M} UTC" if row.finished_at else "more to read"
    return f"{counts}{broken}; {end}."
