"""Paths with and without the slash at their end."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import WeddingFactory
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.test_border import OPEN, endpoints
from tests.wedsync.api.test_keys import url
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
EVERY = sorted({(method, path) for method, path in endpoints()} | {("get", path) for path in OPEN})


def answered(answer: Any) -> tuple[int, Any]:
    kind = answer["Content-Type"]
    return answer.status_code, (answer.json() if "json" in kind else kind)


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_both_spellings_of_every_path_answer_the_same(api: Api, method: str, path: str) -> None:
    whole = url(path)
    assert whole.endswith("/")

    answers = [api.send(method, spelling, {} if method != "get" else None) for spelling in (whole, whole.rstrip("/"))]

    assert not any(300 <= answer.status_code < 400 for answer in answers)
    codes = {answer.status_code for answer in answers}
    assert len(codes) == 1
    if codes != {201}:  # what is made has an id of its own
        shown = [answered(answer) for answer in answers]
        assert shown[0] == shown[1] or "taken_at" in str(shown)


def test_a_post_without_the_slash_is_carried_out(api: Api, ours: Organization) -> None:
    wedding = WeddingFactory(organization=ours)

    answer = api.send("post", "/api/incidents", {"wedding": str(wedding.id), "kind": "fire", "description": "x"})

    assert answer.status_code == 201
    assert ChannelEvent.objects.filter(type="venue.emergency_reported").count() == 1


def test_both_spellings_are_one_request_to_an_idempotency_key(api: Api, ours: Organization) -> None:
    wedding = WeddingFactory(organization=ours)
    body = {"wedding_id": str(wedding.id), "milestone": "x", "progress": 1}

    first, again = (api.send("post", path, body, Idempotency_Key="k") for path in ("/api/journey", "/api/journey/"))

    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"


def test_the_next_page_is_named_with_the_slash(api: Api, ours: Organization) -> None:
    WeddingFactory(organization=ours)
    for number in range(2):
        api.send("post", "systems", {"name": f"{number}", "kind": "webhook", "base_url": "https://a.example"})

    page = api.get("/api/integrations/systems?limit=1").json()

    assert "/api/integrations/systems/?" in page["next"]


def test_a_path_that_neither_spelling_knows_is_not_found(api: Api) -> None:
    for path in ("/api/nothing", "/api/nothing/", "/api"):
        assert api.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/unsubscribe/x", "/acknowledge/x", "/emergency/x"])
def test_a_page_that_is_posted_to_without_its_slash_is_not_redirected(path: str) -> None:
    client = Client()

    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 404
    looked = client.get(path, follow=True)
    assert looked.status_code == 404, "nobody's token"
    assert [place for place, _ in looked.redirect_chain] in ([], [f"{path}/"]), "a page may be: nothing is lost"


@pytest.mark.parametrize("method", ["get", "post"])
def test_behind_tls_the_api_is_refused_in_clear_text_and_never_redirected(
    api: Api, ours: Organization, settings: Any, method: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^api/(?!docs/)"]
    client = Api("wsk_ours")

    answer = client.send(method, "/api/integrations/systems/", {})
    safe = client.get("/api/integrations/systems/", secure=True)

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/https-required")
    assert safe.status_code == 200
    assert client.get("/").status_code == 301
