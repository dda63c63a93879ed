"""A POST that is sent again with its ``Idempotency-Key`` has its effect once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import ConnectionSecret, Delivery, System
from tests.factories import (
    ApiKeyFactory,
    ConnectionFactory,
    DeliveryFactory,
    FormFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.repeated import BODY, make, problem
from wedsync.api.base_views import idempotency
from wedsync.api.models import RememberedRequest
from wedsync.live.models import ChannelEvent, Ticket
from wedsync.runner.home import fernet_key
from wedsync.weddings.models import ApiKey, Organization

pytestmark = pytest.mark.django_db


def test_the_same_request_is_answered_the_same_and_done_once(api: Api, ours: Organization) -> None:
    first, again = make(api), make(api, body=dict(reversed(BODY.items())))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again["Idempotency-Replayed"] == "true"
    assert System.objects.count() == 1


@pytest.mark.parametrize("path", ["forms", "journey"])
def test_what_is_published_is_published_once(api: Api, ours: Organization, path: str) -> None:
    wedding = WeddingFactory(organization=ours)
    url, body = {
        "forms": (f"/api/forms/{FormFactory(organization=ours, wedding=wedding).id}/responses/", {"answers": {"a": 1}}),
        "journey": ("/api/journey/", {"wedding_id": str(wedding.id), "milestone": "Menu", "progress": 5}),
    }[path]

    answers = [make(api, path=url, body=body).json()["id"] for _ in range(3)]

    assert len(set(answers)) == 1
    assert ChannelEvent.objects.count() == 1


def test_without_a_key_each_request_counts(api: Api, ours: Organization) -> None:
    api.send("post", "systems/", BODY)

    assert api.send("post", "systems/", {**BODY, "name": "Another"}).status_code == 201
    assert not RememberedRequest.objects.exists()


def test_a_key_is_not_used_for_something_else(api: Api, ours: Organization) -> None:
    make(api)

    assert problem(make(api, body={**BODY, "name": "Another"})) == (422, "idempotency-key-reused")
    assert System.objects.count() == 1


def test_another_query_is_refused_and_never_answered_from_memory(api: Api, ours: Organization) -> None:
    make(api)

    assert problem(make(api, path="systems/?x=1")) == (400, "unknown-filter")


def test_a_key_counts_for_its_endpoint_and_its_caller(api: Api, ours: Organization) -> None:
    system = SystemFactory(organization=ours)
    ApiKeyFactory(key="wsk_theirs")
    make(api)

    assert make(api, path="connections/", body={"system": str(system.id)}).status_code == 201
    theirs = make(Api("wsk_theirs"))
    assert (theirs.status_code, "Idempotency-Replayed" in theirs.headers) == (201, False)


@pytest.mark.parametrize("text", ["", "x" * 256, "ä", "a\tb", "\x7f"])
def test_a_key_that_can_be_none_is_refused(api: Api, ours: Organization, text: str) -> None:
    assert problem(make(api, text)) == (400, "idempotency-key-malformed")
    assert not System.objects.exists()


def test_a_refusal_is_remembered_and_changes_nothing(api: Api, ours: Organization) -> None:
    body = {**BODY, "kind": "fax"}

    first, again = make(api, body=body), make(api, body=body)

    assert problem(first) == problem(again) == (422, "unprocessable")
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")


def test_what_the_caller_may_not_do_is_not_remembered(api: Api, key: ApiKey) -> None:
    ApiKey.objects.update(scopes=["config:read"])
    assert problem(make(api)) == (403, "scope-missing")

    ApiKey.objects.update(scopes=["config:write"])

    assert make(api).status_code == 201


@pytest.mark.parametrize("path", ["secrets", "ticket"])
def test_a_secret_that_is_shown_once_is_stored_encrypted_and_replayed(api: Api, ours: Organization, path: str) -> None:
    row = ConnectionFactory(organization=ours)
    url = f"connections/{row.id}/secrets/" if path == "secrets" else "/api/channels/tickets/"

    first, again = make(api, path=url, body={}), make(api, path=url, body={})

    assert first.status_code == 201
    assert again.json() == first.json()
    assert first["Cache-Control"] == again["Cache-Control"] == "no-store"
    assert ConnectionSecret.objects.count() + Ticket.objects.count() == 1
    stored = RememberedRequest.objects.get()
    assert stored.is_sealed
    assert all(str(text) not in stored.body for text in first.json().values())


def test_a_secret_whose_key_is_gone_is_not_made_a_second_time(api: Api, ours: Organization, settings: Any) -> None:
    url = f"connections/{ConnectionFactory(organization=ours).id}/secrets/"
    make(api, path=url, body={})
    settings.SECRET_KEYS = [fernet_key()]

    assert problem(make(api, path=url, body={})) == (409, "idempotency-answer-lost")
    assert ConnectionSecret.objects.count() == 1


def test_no_body_with_a_secret_is_stored_in_a_guessable_form(api: Api, ours: Organization) -> None:
    make(api, body={**BODY, "credentials": {"access_token": "hunter2"}})

    row = RememberedRequest.objects.values().get()
    assert all("hunter2" not in str(value) for value in row.values())


def test_after_a_day_a_key_is_new_again(api: Api, ours: Organization) -> None:
    make(api)
    RememberedRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))

    answer = make(api, body={**BODY, "name": "Another"})

    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)


def test_what_is_older_than_a_day_is_forgotten(api: Api, ours: Organization) -> None:
    make(api, "old")
    make(api, "young", {**BODY, "name": "Another"})
    RememberedRequest.objects.filter(key="old").update(created_at=timezone.now() - timedelta(hours=25))

    assert idempotency.forget() == 1
    assert RememberedRequest.objects.get().key == "young"


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_ours_is_not_remembered_and_leaves_nothing(key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api("wsk_ours", raise_request_exception=False)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE integrations_system RENAME TO integrations_system_away")
    try:
        broken = make(api)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE integrations_system_away RENAME TO integrations_system")

    assert problem(broken) == (503, "storage-away")
    assert not RememberedRequest.objects.exists()
    assert make(api).status_code == 201


def test_a_conflict_that_was_of_the_moment_is_judged_anew(api: Api, ours: Organization) -> None:
    delivery = DeliveryFactory(organization=ours)
    path = f"deliveries/{delivery.id}/resend/"
    first = api.send("post", path, {}, Idempotency_Key="again")
    Delivery.objects.update(state="dead")

    again = api.send("post", path, {}, Idempotency_Key="again")

    assert (first.status_code, again.status_code) == (409, 201)
    assert "Idempotency-Replayed" not in again


def test_what_was_not_there_yet_is_looked_for_anew(api: Api, ours: Organization) -> None:
    form = FormFactory.build(organization=ours)
    path = f"/api/forms/{form.id}/responses/"
    body = {"answers": {"a": 1}}
    first = api.send("post", path, body, Idempotency_Key="again")
    FormFactory(id=form.id, organization=ours)

    again = api.send("post", path, body, Idempotency_Key="again")

    assert (first.status_code, again.status_code) == (404, 201)
