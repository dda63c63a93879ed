"""The pages of events, where those without a wedding are linked to one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from unfold.widgets import UnfoldAdminRadioSelectWidget

from integrations.admin.buttons import ANSWERED, PastButtonAdmin, Question
from integrations.models import ExternalReference, System
from integrations.references import linking
from integrations.references.linking import CannotLink
from wedsync.live.admin import ChannelEventAdmin
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding
from wedsync.weddings.tenant_admin.looks import button

Unlinked = ChannelEvent.Routing.UNLINKED


class WeddingChoice(AutocompleteSelect):
    """Looks up weddings of one organization as the user types."""

    def __init__(self, organization_id: UUID) -> None:
        super().__init__(ExternalReference._meta.get_field("wedding"), admin.site)  # noqa: SLF001
        self._organization_id = organization_id

    def get_url(self) -> str:
        """The address that the page's script queries."""
        return reverse("admin:live_channelevent_weddings", args=[self._organization_id])


class WeddingsOfOrganization(AutocompleteJsonView):
    """The answers to the look-up: weddings of one organization that the user may see."""

    def get_queryset(self) -> QuerySet[Any]:
        """Django's own rows, limited to the organization."""
        return super().get_queryset().filter(organization_id=self.kwargs["organization_id"])


class WeddingForm(forms.Form):
    """The wedding that events are about."""

    wedding = forms.ModelChoiceField(queryset=Wedding.objects.none())

    def __init__(self, organization_id: UUID, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["wedding"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  (for the type checker)
        field.widget = WeddingChoice(organization_id)
        field.queryset = Wedding.objects.filter(organization_id=organization_id)


class LinkForm(WeddingForm):
    """The wedding of one event, and whether to link all events like it too."""

    ONE, ALL = "one", "all"
    how = forms.ChoiceField(label="Link", widget=UnfoldAdminRadioSelectWidget())

    def __init__(self, event: ChannelEvent, *args: Any, **kwargs: Any) -> None:
        super().__init__(event.organization_id, *args, **kwargs)
        choices = [(self.ONE, "only this event")]
        if linking.name_used_by(event) is not None:
            count = linking.like(event).count()
            choices.insert(0, (self.ALL, f"all {count} like it, and future ones (makes an external reference)"))
        field = self.fields["how"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        field.choices = choices
        field.initial = choices[0][0]


@admin.register(ChannelEvent)
class LinkingEventAdmin(PastButtonAdmin, ChannelEventAdmin):
    """Events; an unlinked one has a button, and many can be linked together."""

    actions_detail = ("link", "dry_run")
    actions = ("link_selected",)

    def get_urls(self) -> list[Any]:
        """Django's addresses and the look-up of weddings."""
        view = self.admin_site.admin_view(WeddingsOfOrganization.as_view(admin_site=self.admin_site))
        own = path("weddings-of/<uuid:organization_id>/", view, name="live_channelevent_weddings")
        return [own, *super().get_urls()]

    def is_offered(self, row: Any, path: str) -> bool:
        """Linking is offered for unlinked events only."""
        return path != "link" or bool(row.routing == Unlinked)

    @button("Dry run", "dry-run")
    def dry_run(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show on another page what the present routes would do with the event; changes nothing."""
        event = self.row_to_press(request, object_id)
        return HttpResponseRedirect(f"{reverse('admin:integrations_route_dry_run')}?{urlencode({'event': event.pk})}")

    @button("Link to a wedding", "link")
    def link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask which wedding, and for how many events; then link."""
        event = self.row_to_press(request, object_id)
        if event.routing != Unlinked:
            return self.done(request, event, "It is already linked.")
        form = LinkForm(event, request.POST if request.method == "POST" else None)
        if form.is_valid():
            wedding = form.cleaned_data["wedding"]
            try:
                linked = linking.link(event, wedding, all_like_it=form.cleaned_data["how"] == LinkForm.ALL)
                return self.done(request, event, f"Linked to {wedding}: {linked}. They are routed now.")
            except CannotLink as error:
                form.add_error(None, str(error))
        question = Question(
            title=f"Link {event.type}",
            text="Which wedding is it about? Linked events change the wedding, go live, and are sent along the routes.",
            facts=_facts(event),
            form=form,
            button="Link",
            back=self.page_of(event),
        )
        return question.page(request, self)

    @admin.action(description="Link to one wedding")
    def link_selected(self, request: HttpRequest, rows: QuerySet[ChannelEvent]) -> HttpResponse | None:
        """Ask which wedding the chosen events are about; then link those that are still unlinked."""
        unlinked = self.chosen(request, rows).filter(routing=Unlinked)
        organizations = list(unlinked.order_by().values_list("organization_id", flat=True).distinct()[:2])
        if len(organizations) != 1:
            refusal = "Choose events of one organization only." if organizations else "None of them is unlinked."
            messages.error(request, refusal)
            return None
        if self.too_many(request, unlinked):
            return None
        form = WeddingForm(organizations[0], request.POST if ANSWERED in request.POST else None)
        if form.is_valid():
            self._link_all(request, list(unlinked.values_list("id", flat=True)), form.cleaned_data["wedding"])
            return None
        count, newest_first = unlinked.count(), unlinked.order_by("-occurred_at")
        question = Question(
            title=f"Link {count} events to one wedding",
            text="Only these are linked. To link future ones too, use the button on an event's page.",
            facts=[("Unlinked", count), ("The last of them", f"{newest_first[0].occurred_at:%Y-%m-%d %H:%M} UTC")],
            form=form,
            hidden=self.choose_again(request, unlinked),
            button="Link",
            back=request.get_full_path(),
        )
        return question.page(request, self)

    def _link_all(self, request: HttpRequest, event_ids: list[UUID], wedding: Wedding) -> None:
        linked = linking.link_each(event_ids, wedding)
        rows = ChannelEvent.objects.filter(id__in=event_ids, wedding=wedding).defer("payload")
        LogEntry.objects.log_actions(request.user.pk or 0, rows, CHANGE, change_message=f"Linked to {wedding}.")
        messages.success(request, f"Linked to {wedding}: {linked}. They are routed now.")


def _facts(event: ChannelEvent) -> list[tuple[str, object]]:
    name = linking.name_used_by(event)
    systems = System.objects.filter(organization_id=event.organization_id)
    sender = systems.filter(pk=event.source_system_id).first() if event.source_system_id else None
    return [
        ("Came from", sender or "a system that no longer exists"),
        ("Names", f"{name.kind.label.lower()} {name.external_id}" if name else "no booking and no client"),
        ("Happened", f"{event.occurred_at:%Y-%m-%d %H:%M} UTC"),
        ("Content", ", ".join(f"{key}: {value}" for key, value in event.payload.items() if key != "extra")[:500]),
    ]
