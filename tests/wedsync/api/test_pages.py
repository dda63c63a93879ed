"""What every page and every answer carries, whatever it says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.factories import MembershipFactory, WeddingFactory
from tests.wedsync.api.conftest import Api
from wedsync.api.openapi import description
from wedsync.weddings.models import Organization, Wedding

pytestmark = pytest.mark.django_db
FOR_ANYBODY = [
    "/admin/login/",
    "/api/docs/",
    "/api/docs/?script=",
    "/acknowledge/x/",
    "/unsubscribe/x/",
    "/nothing/",
    "/api/nothing/",
    "/api/integrations/systems/",
]
FOR_STAFF = ["/", "/admin/", "/admin/weddings/wedding/", "/admin/jsi18n/", "/admin/password_change/"]


@pytest.fixture
def staff() -> Client:
    client = Client()
    user: User = MembershipFactory().user
    client.force_login(user)
    return client


def directives(answer: Any) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";") if part.strip()]
    return {name: value for name, _, value in parts}


def check(answer: Any, path: str) -> None:
    policy = directives(answer)
    assert policy["default-src"] in {"'none'", "'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "http" not in answer["Content-Security-Policy"], "no foreign origin"
    assert "*" not in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in policy.get("script-src", "")
    assert ("unsafe-eval" in answer["Content-Security-Policy"]) == path.startswith("/admin/")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", FOR_ANYBODY)
def test_every_answer_to_anybody_has_a_policy_and_is_kept_nowhere(path: str) -> None:
    check(Client().get(path), path)


@pytest.mark.parametrize("path", FOR_STAFF)
def test_every_page_for_staff_has_a_policy_and_is_kept_nowhere(staff: Client, path: str) -> None:
    answer = staff.get(path)

    assert answer.status_code == 200
    check(answer, path)


def test_answers_of_the_api_are_kept_nowhere_and_allow_nothing(api: Api, ours: Organization) -> None:
    answer = api.get("/api/integrations/systems/")

    check(answer, "/api/")
    assert directives(answer)["default-src"] == "'none'"


def test_the_description_may_be_kept_for_some_minutes() -> None:
    assert Client().get("/api/schema/")["Cache-Control"] == "public, max-age=300"


def test_the_description_is_made_once_whoever_asks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = description.SchemaGenerator
    monkeypatch.setattr(description, "SchemaGenerator", lambda: made.append(1) or real())
    description._made.cache_clear()

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: Client().get("/api/schema/?format=json").content, range(4)))

    assert (len(made), len(found)) == (1, 1)
    assert json.loads(found.pop())["openapi"].startswith("3.")


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/vnd.oai.openapi"),
        ("", "application/json", "application/vnd.oai.openapi+json"),
        ("?format=json", "*/*", "application/vnd.oai.openapi+json"),
        ("?format=yaml", "application/json", "application/vnd.oai.openapi"),
        ("?format=xml", "*/*", "application/problem+json"),
        ("?lang=de", "*/*", "application/problem+json"),
    ],
)
def test_the_description_comes_in_the_form_that_is_asked_for(query: str, accept: str, kind: str) -> None:
    assert Client().get(f"/api/schema/{query}", headers={"Accept": accept})["Content-Type"] == kind


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["/api/integrations/health/", "/api/integrations/health", "/api/integrations/events/"])
def test_what_can_only_be_read_refuses_to_be_written(api: Api, ours: Organization, method: str, path: str) -> None:
    answer = api.send(method, path, {})

    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_description_refuses_to_be_written(method: str) -> None:
    assert getattr(Client(), method)("/api/schema/").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/?organization=%00",
        "/?q=%00",
        "/?state=a%00b",
        "/?%00=x",
        "/admin/weddings/wedding/?q=%00",
        "/admin/weddings/wedding/?date__gte=%00",
        "/admin/login/?next=%00",
        "/unsubscribe/x/?a=%00",
    ],
)
def test_a_page_that_is_asked_for_with_nul_is_not_found(staff: Client, path: str) -> None:
    assert staff.get(path).status_code == 404


def test_an_organization_that_does_not_exist_is_not_found(staff: Client) -> None:
    assert staff.get("/?organization=nobody").status_code == 404


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL stops every look at weddings, as after the time of a statement."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '50ms'")
    real = Wedding._default_manager.get_queryset
    dawdling = lambda: real().extra(where=["pg_sleep(1) IS NOT NULL"])  # noqa: E731
    monkeypatch.setattr(Wedding._default_manager, "get_queryset", dawdling)


def test_an_answer_that_took_the_database_too_long_says_so(
    api: Api, ours: Organization, request: pytest.FixtureRequest
) -> None:
    wedding = WeddingFactory(organization=ours)
    request.getfixturevalue("slow")

    answer = api.get(f"/api/weddings/{wedding.id}/")

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/too-slow")
    assert answer["Retry-After"] == "5"
    assert "15 seconds" in answer.json()["detail"]


def test_a_page_that_took_the_database_too_long_says_so(staff: Client, request: pytest.FixtureRequest) -> None:
    WeddingFactory(organization=Organization.objects.get())
    request.getfixturevalue("slow")

    answer = staff.get("/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "This page took too long" in answer.content.decode()
