"""Dates and times of our own endpoints: kept as they are told, or refused; never guessed."""

from datetime import date, time
from typing import Any

import pytest

from tests.factories import FormFactory, WeddingFactory
from tests.wedsync.api.conftest import Api
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
KEPT = [
    ("16:00", time(16)), ("9:30", time(9, 30)), ("4:30 PM", time(16, 30)), ("14:00Z", time(16)),
    ("2030-06-19T16:00:00+02:00", time(16)),
]  # fmt: skip
REFUSED = [
    ("ceremony_time", "9ish"), ("ceremony_time", 16), ("ceremony_time", ""), ("date", "12/06/2027"),
    ("date", "20270620"), ("date", 20270620), ("date", "1813622400"), ("date", "20.06.2027"), ("guest_count", "120"),
]  # fmt: skip


@pytest.fixture
def wedding(ours: Organization) -> Any:
    return WeddingFactory(organization=ours, date=date(2030, 6, 19), timezone="Europe/Vienna", ceremony_time=time(12))


def form(wedding: Any, field: str) -> Any:
    return FormFactory(organization=wedding.organization, wedding=wedding, wedding_fields={"answer": field})


@pytest.mark.parametrize(("written", "kept"), KEPT)
def test_a_change_of_a_wedding_is_kept_as_it_is_told(api: Api, wedding: Any, written: str, kept: time) -> None:
    answer = api.send("patch", f"/api/weddings/{wedding.id}/", {"ceremony_time": written})

    assert answer.json()["ceremony_time"] == kept.strftime("%H:%M")
    event = ChannelEvent.objects.get(wedding=wedding, type="timeline.updated")
    assert event.payload["changes"] == [{"field": "ceremony_time", "before": "12:00", "after": kept.strftime("%H:%M")}]


@pytest.mark.parametrize(("written", "kept"), KEPT)
def test_an_answer_of_a_form_is_kept_as_it_is_told(api: Api, wedding: Any, written: str, kept: time) -> None:
    made = form(wedding, "ceremony_time")

    answer = api.send("post", f"/api/forms/{made.id}/responses/", {"answers": {"answer": written}})

    assert answer.status_code == 201
    wedding.refresh_from_db()
    assert wedding.ceremony_time == kept


@pytest.mark.parametrize(("field", "written"), REFUSED)
def test_what_could_be_something_else_is_refused_with_how_to_write_it(
    api: Api, wedding: Any, field: str, written: Any
) -> None:
    answer = api.send("patch", f"/api/weddings/{wedding.id}/", {field: written})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["reason"][:4]) == (field, "must")


@pytest.mark.parametrize(("field", "written"), [pair for pair in REFUSED if pair[1] != ""])
def test_an_answer_that_could_be_something_else_is_refused(api: Api, wedding: Any, field: str, written: Any) -> None:
    made = form(wedding, field)

    answer = api.send("post", f"/api/forms/{made.id}/responses/", {"answers": {"answer": written}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "answers.answer"
    assert not ChannelEvent.objects.filter(wedding=wedding).exists()


@pytest.mark.parametrize("blank", ["", "  ", "\t", None])
def test_a_blank_answer_changes_nothing(api: Api, wedding: Any, blank: Any) -> None:
    made = form(wedding, "ceremony_time")

    answer = api.send("post", f"/api/forms/{made.id}/responses/", {"answers": {"answer": blank}})

    assert answer.status_code == 201
    assert set(ChannelEvent.objects.filter(wedding=wedding).values_list("type", flat=True)) == {"form.submitted"}


def test_our_own_changes_say_what_we_knew_before(api: Api, wedding: Any) -> None:
    held = wedding.guest_count

    api.send("patch", f"/api/weddings/{wedding.id}/", {"guest_count": 77, "date": "2030-06-20"})

    told = {event.type: event.payload for event in ChannelEvent.objects.filter(wedding=wedding)}
    assert told["guest_count.changed"].get("before") == held
    assert told["wedding.date_changed"]["before"] == "2030-06-19"
