"""Texts that come by the API are plain text before anyone sees them."""

import pytest
from django.test import Client

from tests.factories import ApiKeyFactory, FormFactory, WeddingFactory
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ApiKey

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def key() -> ApiKey:
    made: ApiKey = ApiKeyFactory(key="wsk_ours")
    return made


@pytest.fixture
def client(key: ApiKey) -> Client:
    return Client(headers={"Authorization": "Bearer wsk_ours"})


def test_a_forms_answers_are_cleaned_questions_too(key: ApiKey, client: Client) -> None:
    form = FormFactory(organization=key.organization)
    answers = {"<b>note</b>": "Ann & Bo<script>alert(1)</script>\u202e", "guests": 118}

    answer = client.post(f"/api/forms/{form.id}/responses/", {"answers": answers}, content_type=JSON)

    event = ChannelEvent.objects.get(id=answer.json()["id"])
    assert event.payload["answers"] == {"note": "Ann & Bo", "guests": 118}


def test_a_milestone_is_cleaned_and_one_that_is_only_markup_is_refused(key: ApiKey, client: Client) -> None:
    wedding = WeddingFactory(organization=key.organization)
    body = {"wedding_id": str(wedding.id), "milestone": "<i>Menu</i> & <u>wine</u>", "progress": 60}

    answer = client.post("/api/journey/", body, content_type=JSON)
    refused = client.post("/api/journey/", {**body, "milestone": "<img src=x>"}, content_type=JSON)

    assert ChannelEvent.objects.get(id=answer.json()["id"]).payload["milestone"] == "Menu & wine"
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "milestone")


def test_a_venues_name_is_cleaned_and_one_that_is_only_markup_is_refused(key: ApiKey, client: Client) -> None:
    wedding = WeddingFactory(organization=key.organization)

    def rename(name: str) -> int:
        return client.patch(f"/api/weddings/{wedding.id}/", {"venue_name": name}, content_type=JSON).status_code

    assert rename("<b>Seehof</b> & Park\x07") == 200
    assert rename("<br>") == 422
    wedding.refresh_from_db()
    assert wedding.venue_name == "Seehof & Park"
    (change,) = ChannelEvent.objects.get(type="timeline.updated").payload["changes"]
    assert change["after"] == "Seehof & Park"
