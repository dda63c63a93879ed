"""Admin of incidents: what happened, who was told, and the buttons that end it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from integrations.admin.buttons import ANSWERED, PastButtonAdmin, Question, asked
from integrations.routing import audience
from integrations.routing.audience import Reached
from notifications.admin.notifications import GOT_COLOURS
from notifications.incidents import acknowledging, opening, placement, staff_actions
from notifications.models import Incident, Notification, TraceEntry
from notifications.recipients import staff
from notifications.trace import answers
from wedsync.weddings.admin import WeddingAdmin
from wedsync.weddings.models import Membership, Wedding
from wedsync.weddings.tenant_admin.looks import BAD, GOOD, WARNING, button, coloured, column, label, link, moment, table

STATE_COLOURS = {"open": BAD, "acknowledged": WARNING, "resolved": GOOD}
ANY_ROLE = frozenset(Membership.Role)


REAL, DRILL = "real", "drill"


class RaiseForm(forms.Form):
    """What staff report. They must say whether it is real; neither answer is preselected."""

    drill = forms.ChoiceField(
        label="Is it real?",
        choices=[
            (REAL, "It is real. Everyone in the list is alerted immediately, even at night."),
            (DRILL, "It is a drill. It is marked as one and reaches staff only."),
        ],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    kind = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget(), help_text="For instance: power outage.")
    description = forms.CharField(max_length=10_000, widget=UnfoldAdminTextareaWidget())
    contact_phone = forms.CharField(
        label="Phone to call back", max_length=40, required=False, widget=UnfoldAdminTextInputWidget()
    )


class ChooseForm(forms.Form):
    """Which wedding an emergency is about; today's weddings come first."""

    wedding = forms.ModelChoiceField(Wedding.objects.none(), widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, incident: Incident, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["wedding"]
        field.queryset = Wedding.objects.filter(organization_id=incident.organization_id)  # type: ignore[attr-defined]
        offered = placement.offered(incident, timezone.now())
        field.choices = [  # type: ignore[attr-defined]
            ("", "Choose one"), *((wedding.pk, name) for wedding, name in [*offered.today, *offered.others]),
        ]  # fmt: skip


@admin.register(Incident)
class IncidentAdmin(PastButtonAdmin):
    """Every member of staff may end an incident: an emergency must not wait for the right role."""

    pressed_by = ANY_ROLE
    tenant_path = "organization"
    list_display = ("what", "about", "shown_state", "drill", "opened", "acknowledged_by", "resolved")
    list_select_related = ("wedding", "organization")
    list_filter = ("state", "drill", "opened_at")
    search_fields = ("=id", "kind", "description", "wedding__couple")
    ordering = ("-id",)
    actions_detail = ("choose_wedding", "acknowledge", "resolve")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "drill"),
                    "description",
                    ("wedding", "chosen_wedding"),
                    ("shown_state", "opened", "opened_by"),
                )
            },
        ),
        (
            "Who is taking care of it",
            {
                "fields": (
                    ("acknowledged_by", "acknowledged_via", "acknowledged"),
                    ("resolved_by", "resolved"),
                    "ended_at",
                )
            },
        ),
        ("Reports", {"fields": ("reported",)}),
        ("Who was told, and whether they got it", {"fields": ("people",)}),
        ("What was done, in order", {"fields": ("trace",)}),
    )
    shown_state = coloured("State", "state", STATE_COLOURS)
    opened = moment("Opened", "opened_at")
    acknowledged = moment("Acknowledged", "acknowledged_at")
    resolved = moment("Resolved", "resolved_at")

    @column("What", ordering="kind")
    def what(self, incident: Incident) -> str:
        return f"{'Drill: ' if incident.drill else ''}{incident.kind_in_words}"

    @column("Wedding", ordering="wedding__couple")
    def about(self, incident: Incident) -> str:
        return incident.about

    @column("Reports")
    def reported(self, incident: Incident) -> SafeString:
        rows = (
            (
                f"{timezone.localtime(each.created_at):%Y-%m-%d %H:%M:%S}",
                str(each.event.payload.get("description") or "not given")[:200],
                f"{timezone.localtime(each.told_at):%H:%M:%S}"
                if each.told_at
                else "not told: nothing new, or too soon",
                link(reverse("event-trace", args=[each.event_id]), "trace"),
            )
            for each in incident.reports.select_related("event").order_by("event_id")[:100]
        )
        return table(("Received", "Description", "Told", ""), rows)

    @column("People")
    def people(self, incident: Incident) -> SafeString:
        events = [event.id for event in opening.events_of(incident)]
        told = Notification.objects.filter(event__in=events).order_by("name", "id")
        rows = (
            (each.name, label(found.got, GOT_COLOURS), found.text, link(_page_of(each), "why"))
            for each in answers.with_what_came(told)[:200]
            for found in [answers.answer(each)]
        )
        return table(("Who", "Got it", "Details", ""), rows)

    @column("Trace")
    def trace(self, incident: Incident) -> SafeString:
        events = [event.id for event in opening.events_of(incident)]
        entries = TraceEntry.objects.filter(event__in=events, recipient="").order_by("id")[:200]
        rows = ((f"{timezone.localtime(each.at):%H:%M:%S}", each.get_what_display(), each.text) for each in entries)
        return table(("When", "What", ""), rows)

    def is_offered(self, row: Incident, path: str) -> bool:
        if path == "choose-wedding":
            return row.wedding_id is None and row.state != Incident.State.RESOLVED
        return row.state == Incident.State.OPEN if path == "acknowledge" else row.state != Incident.State.RESOLVED

    @button("Choose the wedding", "choose-wedding")
    def choose_wedding(self, request: HttpRequest, object_id: str) -> HttpResponse:
        incident: Incident = self.row_to_press(request, object_id)
        form = ChooseForm(request.POST if request.method == "POST" else None, incident=incident)
        if not form.is_valid():
            text = "Everyone whom the routes name is alerted. Later reports that name the same booking ask you again."
            title = f"Which wedding is it? {incident}"
            return Question(title, "Alert this wedding", self.page_of(incident), text, form=form).page(request, self)
        wedding: Wedding = form.cleaned_data["wedding"]
        choice = placement.choose(incident, wedding, by=request.user.get_username())
        chosen = choice.incident.chosen_wedding or "none of your weddings"
        first = f"{choice.incident.resolved_by} answered first: {chosen}."
        return self.done(request, incident, first if choice.already else f"The people of {wedding} are being alerted.")

    @asked("Acknowledge", "acknowledge", "Will you take care of it? All further steps stop and nobody else is called.")
    def acknowledge(self, request: HttpRequest, incident: Incident) -> str:
        answer = acknowledging.acknowledge_incident(incident, by=request.user.get_username(), via="the admin")
        if answer.already:
            return f"{answer.incident.acknowledged_by or answer.incident.resolved_by} acknowledged it first."
        return "You are taking care of it. Nobody else is called."

    @asked("Resolve", "resolve", "Is it over? Everyone who was alerted gets the all-clear.")
    def resolve(self, request: HttpRequest, incident: Incident) -> str:
        done = staff_actions.resolve(incident, by=request.user.get_username())
        return "Resolved. The all-clear is on its way." if done else "It was already resolved."


def _page_of(notification: Notification) -> str:
    return reverse("admin:notifications_notification_change", args=[notification.pk])


@button("Raise an emergency", "raise-emergency")
def raise_emergency(pages: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Report an emergency at a wedding by hand, or start a drill: describe it, see who gets it, and confirm."""
    wedding: Wedding | None = pages.get_object(request, object_id)
    if wedding is None or not pages.has_view_permission(request, wedding):
        raise Http404
    form = RaiseForm(request.POST if request.method == "POST" else None)
    back = reverse("admin:weddings_wedding_change", args=[wedding.pk])
    if not form.is_valid():
        return _asking(wedding, form, back).page(request, pages)
    said = {**form.cleaned_data, "drill": form.cleaned_data["drill"] == DRILL}
    if request.POST.get(ANSWERED) != "yes":
        return _confirming(wedding, said, form, back).page(request, pages)
    try:
        staff_actions.raise_emergency(wedding, **said, by=request.user.get_username())
    except staff_actions.AlreadyOpen as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(back)
    pages.log_change(request, wedding, f"Raised {'a drill' if said['drill'] else 'an emergency'}.")
    messages.success(request, "It is on its way. The incident will appear under Incidents in a moment.")
    return HttpResponseRedirect(back)


def _asking(wedding: Wedding, form: RaiseForm, back: str) -> Question:
    return Question(
        f"Emergency at the wedding of {wedding.couple}",
        "Continue: see who would be told",
        back,
        "Nothing is sent yet. The next page shows who gets it and asks you to confirm.",
        facts=_facts_of(wedding),
        form=form,
        table=_table(_who(wedding, drill=False)),
        leave="Do nothing",
    )


def _confirming(wedding: Wedding, said: dict[str, Any], form: RaiseForm, back: str) -> Question:
    drill, told = said["drill"], _who(wedding, drill=said["drill"])
    people = len({each.name for each in told if not each.but})
    whom = f"{people} {'person or team' if people == 1 else 'people and teams'}" if people else "only the console"
    facts = [("What", said["kind"]), ("Description", said["description"])]
    facts += [("Phone to call back", said["contact_phone"])] if said["contact_phone"] else []
    return Question(
        f"{'Drill' if drill else 'REAL emergency'} at the wedding of {wedding.couple}: confirm",
        f"Start the drill for {whom}" if drill else f"Alert {whom} now",
        back,
        "This is a drill. It reaches staff only, and says that nothing has happened."
        if drill
        else "This is real. Everyone in the list is alerted as soon as you confirm, even at night.",
        facts=[*_facts_of(wedding), *facts],
        hidden=[*((name, form.data.get(name, "")) for name in form.fields), (ANSWERED, "yes")],
        table=_table(told),
        leave="Do nothing",
    )


def _facts_of(wedding: Wedding) -> list[tuple[str, object]]:
    today = wedding.date == timezone.now().astimezone(wedding.zone).date()
    day = f"{wedding.date:%A, %d %B %Y}{', today' if today else ''}"
    facts: list[tuple[str, object]] = [("Wedding", wedding.couple), ("Date", day)]
    facts.append(("Venue", wedding.venue_name or "unknown"))
    open_one = Incident.objects.filter(opening.LIVING, wedding=wedding, drill=False).first()
    if open_one:
        since = f"{open_one.opened_at.astimezone(wedding.zone):%H:%M} ({wedding.timezone})"
        joins = "A further report joins it and reaches those whom it has alerted."
        facts.append(("Already open", f"{open_one.kind_in_words}, since {since}. {joins}"))
    return facts


def _who(wedding: Wedding, *, drill: bool) -> list[Reached]:
    """Whom it would reach, and on which channel."""
    if drill:
        return audience.reached(staff.everyone(wedding.organization_id, wedding))
    payload = {"kind": "emergency", "description": "not given", "reported_by": "staff"}
    return audience.of_event(wedding, opening.REPORTED, payload, timezone.now())


def _table(told: Sequence[Reached]) -> SafeString:
    rows = [(each.name, each.by, each.but or "gets it immediately") for each in told]
    return table(("Who", "By", ""), rows or [("Nobody. It is shown on the console and alerts staff.", "", "")])


WeddingAdmin.raise_emergency = raise_emergency  # type: ignore[attr-defined]
WeddingAdmin.actions_detail = (*getattr(WeddingAdmin, "actions_detail", ()), "raise_emergency")  # type: ignore[attr-defined]
