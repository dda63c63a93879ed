"""``/emergency/<token>/``: which wedding is it? Looking at the page does nothing; only its buttons act.

As on the acknowledgement page, GET and HEAD never act, and the token is the only proof.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import links
from notifications.incidents import acknowledging, held_emergencies, placement, todays_weddings
from notifications.incidents.placement import PlacementRequest
from notifications.models import Incident
from notifications.pages.acknowledge import HEADERS
from wedsync.ids import as_id
from wedsync.weddings.models import Wedding

NONE, TAKE = "none", "take"


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def choose_wedding(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page, or do what a button says."""
    late = False
    try:
        asked = placement.read(token)
        if request.method == "POST":
            late = not _answer(asked, request.POST.get("wedding", ""))
            asked = placement.read(token)
    except links.BadLink as error:
        return _page(request, {"problem": str(error)}, status=410 if isinstance(error, acknowledging.TooLate) else 404)
    except placement.NotOurs as error:
        return _page(request, {**_facts(asked.incident), "mistake": str(error)}, status=422)
    return _page(request, {**_facts(asked.incident), "late": late})


def _answer(asked: PlacementRequest, answer: str) -> bool:
    """Do what a button says; whether the result is as requested, even if somebody else requested it before.

    Raises:
        NotOurs: it names no wedding of the organization.
    """
    if answer == TAKE:
        acknowledging.acknowledge_incident(asked.incident, by=asked.name, via="the page")
        return True
    if answer == NONE:
        wedding, choice = None, placement.none_of_ours(asked.incident, by=asked.name)
    else:
        wedding = _wedding(answer, asked.incident)
        choice = placement.choose(asked.incident, wedding, by=asked.name)
    return not choice.already or choice.incident.chosen_wedding == wedding


def _wedding(answer: str, incident: Incident) -> Wedding:
    chosen = as_id(answer)
    rows = Wedding.objects.filter(organization_id=incident.organization_id)
    wedding = rows.filter(id=chosen).first() if chosen else None
    if wedding is None:
        raise placement.NotOurs("Choose one of the weddings below.")
    return wedding


def _facts(incident: Incident) -> dict[str, Any]:
    now = timezone.now()
    suggested, offered = incident.suggested_wedding, placement.offered(incident, now)
    chosen = incident.chosen_wedding
    return {
        "incident": incident,
        "kind": incident.kind_in_words.capitalize(),
        "told": placement.told(incident, incident.event.payload, now),
        "living": incident.state != Incident.State.RESOLVED,
        "open": incident.state == Incident.State.OPEN,
        "went_on": incident.resolved_by == held_emergencies.RESUMED,
        "chosen": todays_weddings.name(chosen, now) if chosen else "",
        "suggested": suggested,
        "weddings": offered.today,
        "others": offered.others,
        "zone": suggested.timezone if suggested else "UTC",
    }


def _page(request: HttpRequest, facts: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shown = render(request, "notifications/choose_wedding.html", facts, status=status)
    for name, value in HEADERS.items():
        shown[name] = value
    return shown
