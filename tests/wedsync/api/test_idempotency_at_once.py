"""A request that comes again while the first is worked on, or after its process died."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.models import System
from tests.at_once import at_once
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.repeated import BODY, make, problem
from wedsync.api.base_views import idempotency
from wedsync.api.models import RememberedRequest
from wedsync.weddings.models import ApiKey

pytestmark = pytest.mark.django_db


def claimed(key: ApiKey, *, until: timedelta, token: Any = None) -> RememberedRequest:
    """As a process leaves it that claimed the request and died."""
    return RememberedRequest.objects.create(
        organization=key.organization,
        api_key=key,
        method="POST",
        path="/api/integrations/systems/",
        key="one",
        fingerprint="",
        lease_token=token or uuid4(),
        lease_until=timezone.now() + until,
    )


def fingerprint_of_body(api: Api) -> str:
    make(api, key="another", body=BODY)
    System.objects.all().delete()
    return RememberedRequest.objects.get(key="another").fingerprint


def test_who_asks_while_the_first_is_worked_on_is_told_to_wait(api: Api, key: ApiKey) -> None:
    seen = fingerprint_of_body(api)
    claimed(key, until=timedelta(seconds=50))
    RememberedRequest.objects.filter(key="one").update(fingerprint=seen)

    answer = make(api)

    assert problem(answer) == (409, "idempotency-key-in-progress")
    assert int(answer["Retry-After"]) >= 1
    assert not System.objects.exists()


def test_the_claim_of_a_process_that_died_is_taken_over_after_its_lease(api: Api, key: ApiKey) -> None:
    seen = fingerprint_of_body(api)
    claimed(key, until=timedelta(seconds=-1))
    RememberedRequest.objects.filter(key="one").update(fingerprint=seen)

    assert make(api).status_code == 201
    assert System.objects.count() == 1


def test_a_claim_that_was_taken_over_has_no_effect_any_more(key: ApiKey) -> None:
    row = claimed(key, until=timedelta(seconds=-1))
    late = idempotency.Claim(row.id, uuid4())

    with pytest.raises(idempotency.InProgress), transaction.atomic():
        late.lock()


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one_and_the_others_wait_or_see_its_answer(key: ApiKey) -> None:
    answers = at_once(8, lambda _: make(Api("wsk_ours")))

    assert System.objects.count() == 1
    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [problem(answer) for answer in answers if answer.status_code != 201]
    assert len({answer.json()["id"] for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
    assert set(waiting) <= {(409, "idempotency-key-in-progress")}
    assert make(Api("wsk_ours"))["Idempotency-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_a_claim_past_its_lease_is_left_to_whoever_still_works_on_it(key: ApiKey) -> None:
    """The one that works holds the row's lock; another process asks meanwhile."""
    api = Api("wsk_ours")
    seen, token = fingerprint_of_body(api), uuid4()
    row = claimed(key, until=timedelta(seconds=-1), token=token)
    RememberedRequest.objects.filter(key="one").update(fingerprint=seen)

    with transaction.atomic():
        idempotency.Claim(row.id, token).lock()
        answer = at_once(1, lambda _: make(Api("wsk_ours")))[0]

    assert problem(answer) == (409, "idempotency-key-in-progress")
    assert not System.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_its_answer_the_effect_is_gone_too(key: ApiKey) -> None:
    """They are one commit: whoever dies before it has done nothing, and the repetition does it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_answer() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no answer today'; END $$;"
            "CREATE TRIGGER no_answer BEFORE UPDATE ON api_rememberedrequest FOR EACH ROW EXECUTE FUNCTION no_answer()"
        )
    try:
        broken = make(Api("wsk_ours"))
        after = System.objects.count()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_answer CASCADE")

    assert problem(broken) == (503, "storage-away")
    assert after == 0
    assert make(Api("wsk_ours")).status_code == 201
    assert System.objects.count() == 1
