"""Another wedding's link, and another organization's, reaches nothing of all that the page asks for."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import IncidentFactory
from tests.wedsync.couple.visiting import Couple, make_couple
from wedsync.couple import urls
from wedsync.couple.models import LinkSession
from wedsync.live.models import Seen, Ticket

ASKED = {"": "GET", "parts/": "GET", "calendar/": "GET", "app.webmanifest": "GET"} | dict.fromkeys(
    ("ticket/", "seen/", "acknowledge/", "language/", "push/"), "POST"
)
OPEN_TO_ALL = {"worker.js", "start/<str:token>/"}


@pytest.fixture(params=["another wedding", "another organization", "nobody"])
def stranger(request: pytest.FixtureRequest, couple: Couple) -> Client:
    if request.param == "nobody":
        return Client()
    same = {"organization": couple.wedding.organization} if request.param == "another wedding" else {}
    other = make_couple(**same)
    assert other.open().status_code == 200
    return other.browser


def test_every_path_of_the_page_is_tried_here() -> None:
    prefix = "<uuid:wedding_id>/"
    paths = {str(each.pattern).removeprefix(prefix) for each in urls.urlpatterns if prefix in str(each.pattern)}

    assert paths == set(ASKED) | OPEN_TO_ALL


@pytest.mark.parametrize("path", ASKED)
def test_a_stranger_is_told_nothing_and_changes_nothing(couple: Couple, stranger: Client, path: str) -> None:
    incident = IncidentFactory(organization=couple.wedding.organization, wedding=couple.wedding)
    fields = {"incident": str(incident.id), "sequence": "1", "language": "de"}
    sessions_before = list(LinkSession.objects.values())

    answer = (
        stranger.generic(ASKED[path], couple.home + path)
        if ASKED[path] == "GET"
        else stranger.post(couple.home + path, fields)
    )

    assert answer.status_code == 403
    assert couple.wedding.couple not in answer.content.decode()
    incident.refresh_from_db()
    assert incident.state == "open"
    assert not Ticket.objects.exists()
    assert not Seen.objects.exists()
    assert list(LinkSession.objects.values()) == sessions_before


def test_only_the_own_weddings_incident_can_be_acknowledged(couple: Couple) -> None:
    couple.open()
    other = make_couple(organization=couple.wedding.organization)
    incident = IncidentFactory(organization=other.wedding.organization, wedding=other.wedding)

    for said in (str(incident.id), "", "x"):
        couple.browser.post(f"{couple.home}acknowledge/", {"incident": said})

    incident.refresh_from_db()
    assert incident.state == "open"
