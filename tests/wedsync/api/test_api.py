"""The API: what it answers, and that nothing of another organization can be seen or guessed."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import ApiKeyFactory, FormFactory, WeddingFactory
from wedsync.live.models import ChannelEntry, ChannelEvent, Ticket
from wedsync.weddings.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> Any:
    return ApiKeyFactory(key="wsk_ours")


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": "Bearer wsk_ours"})


def patch(client: Client, wedding: Any, body: Any) -> Any:
    return client.patch(f"/api/weddings/{wedding.id}/", body, content_type="application/json")


def test_a_change_answers_the_wedding_and_publishes_what_it_means(key: ApiKey, client: Client) -> None:
    wedding = WeddingFactory(organization=key.organization)

    answer = patch(client, wedding, {"ceremony_time": "16:00", "guest_count": 120, "date": "2027-06-20"})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["ceremony_time"], body["guest_count"], body["date"]) == ("16:00", 120, "2027-06-20")
    types = set(ChannelEvent.objects.filter(wedding=wedding).values_list("type", flat=True))
    assert types == {"timeline.updated", "guest_count.changed", "wedding.date_changed"}
    assert ChannelEntry.objects.filter(channel__name=f"couple:dashboard:{wedding.id}").count() == 3


def test_an_equal_value_is_no_event(key: ApiKey, client: Client) -> None:
    wedding = WeddingFactory(organization=key.organization, guest_count=120)

    answer = patch(client, wedding, {"guest_count": 120})

    assert answer.status_code == 200
    assert not ChannelEvent.objects.filter(wedding=wedding).exists()


def test_more_guests_than_places_is_said_in_the_same_commit(key: ApiKey, client: Client) -> None:
    wedding = WeddingFactory(organization=key.organization, capacity=150)

    patch(client, wedding, {"guest_count": 151})

    assert ChannelEvent.objects.filter(wedding=wedding, type="venue.capacity_exceeded").count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"guest_count": -1}, "guest_count"),
        ({"bride": "x"}, "bride"),
        ({}, "body"),
        ([1], "body"),
        ({"date": "x"}, "date"),
        ({"venue_name": None}, "venue_name"),
    ],
)
def test_a_change_that_can_not_be_taken_names_the_field(key: ApiKey, client: Client, body: Any, field: str) -> None:
    wedding = WeddingFactory(organization=key.organization)

    answer = patch(client, wedding, body)

    assert answer.status_code == 422
    assert answer["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field
    assert not ChannelEvent.objects.filter(wedding=wedding).exists()


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}, {"Authorization": "Basic x"}]
)
@pytest.mark.parametrize("path", ["weddings/{id}/", "forms/{id}/responses/", "journey/", "channels/tickets/"])
def test_without_a_valid_key_nothing_is_answered(header: dict[str, str], path: str) -> None:
    client = Client(headers=header)
    url = f"/api/{path.format(id=uuid4())}"

    answer = client.patch(url) if "weddings" in path else client.post(url, {}, content_type="application/json")

    assert answer.status_code == 401
    assert answer["content-type"] == "application/problem+json"
    assert answer["www-authenticate"].startswith("Bearer")


def test_an_expired_key_is_refused(key: ApiKey, client: Client) -> None:
    ApiKey.objects.update(expires_at=timezone.now())

    assert client.post("/api/channels/tickets/").status_code == 401


def test_nothing_of_another_organization_is_seen_or_changed(key: ApiKey, client: Client) -> None:
    wedding, form = WeddingFactory(guest_count=10), FormFactory()

    answers = [
        client.get(f"/api/weddings/{wedding.id}/"),
        patch(client, wedding, {"guest_count": 99}),
        client.post(f"/api/forms/{form.id}/responses/", {"answers": {"a": 1}}, content_type="application/json"),
        client.get(f"/api/weddings/{uuid4()}/"),
    ]
    milestone = client.post(
        "/api/journey/",
        {"wedding_id": str(wedding.id), "milestone": "x", "progress": 1},
        content_type="application/json",
    )

    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({answer.content for answer in answers}) == 1, "a foreign thing and a missing one look the same"
    assert milestone.status_code == 422
    wedding.refresh_from_db()
    assert wedding.guest_count == 10
    assert not ChannelEvent.objects.exists()


def test_a_form_publishes_its_answers_and_changes_what_they_are_mapped_to(key: ApiKey, client: Client) -> None:
    form = FormFactory(organization=key.organization, wedding_fields={"new_date": "date"})

    answer = client.post(
        f"/api/forms/{form.id}/responses/",
        {"answers": {"new_date": "2027-07-01", "why": "rain"}},
        content_type="application/json",
    )

    assert answer.status_code == 201
    submitted = ChannelEvent.objects.get(id=answer.json()["id"])
    assert submitted.payload["answers"]["why"] == "rain"
    moved = ChannelEvent.objects.get(type="wedding.date_changed")
    assert moved.correlation_id == submitted.correlation_id
    assert ChannelEntry.objects.filter(event=submitted, channel__name=f"form:response:{form.id}").exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answers": []},
        {"answers": {}},
        {"answers": {"a": {"b": 1}}},
    ],
)
def test_answers_that_can_not_be_taken_are_explained(key: ApiKey, client: Client, body: Any) -> None:
    form = FormFactory(organization=key.organization)

    answer = client.post(f"/api/forms/{form.id}/responses/", body, content_type="application/json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("answers")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"answers":{"a":"\\u0000"}}', 400),
        (b'{"answers":{"\\ud800":1}}', 400),
        (b'{"answers":{"a":NaN}}', 400),
        (b'{"answers":{"a":1,"a":2}}', 400),
        (b"[" * 1000, 400),
        (b"\xff", 400),
        (b'{"answers":{"a":"' + b"x" * 262_144 + b'"}}', 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bodies_are_read_as_strictly_as_webhooks(key: ApiKey, client: Client, body: bytes, status: int) -> None:
    form = FormFactory(organization=key.organization)

    answer = client.post(f"/api/forms/{form.id}/responses/", body, content_type="application/json")

    assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")


def test_a_mapped_answer_that_its_field_can_not_hold_is_refused_whole(key: ApiKey, client: Client) -> None:
    form = FormFactory(organization=key.organization, wedding_fields={"new_date": "date"})

    answer = client.post(
        f"/api/forms/{form.id}/responses/", {"answers": {"new_date": "soon"}}, content_type="application/json"
    )

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "answers.new_date", "reason": "must be a date such as 2027-06-20"}]
    assert not ChannelEvent.objects.exists()


def test_a_milestone_is_published(key: ApiKey, client: Client) -> None:
    wedding = WeddingFactory(organization=key.organization)

    answer = client.post(
        "/api/journey/",
        {"wedding_id": str(wedding.id), "milestone": "Venue booked", "progress": 40},
        content_type="application/json",
    )

    assert answer.status_code == 201
    assert ChannelEntry.objects.filter(channel__name=f"journey:milestone:{wedding.id}").count() == 1


def test_a_ticket_is_given_in_clear_once_and_stored_as_a_hash(key: ApiKey, client: Client) -> None:
    answer = client.post("/api/channels/tickets/", {}, content_type="application/json")

    assert answer.status_code == 201
    ticket = Ticket.objects.get()
    assert answer.json()["ticket"] not in (ticket.token_hash, str(ticket))
    assert ticket.organization_id == key.organization_id


def test_a_page_that_is_not_there_is_a_problem_too(client: Client) -> None:
    answer = client.get("/nothing/here")

    assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")
