"""What one API key may ask for in a minute."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from tests.factories import ApiKeyFactory, IncidentFactory, WeddingFactory
from tests.ports import free_port
from tests.wedsync.api.conftest import Api
from wedsync.api.keys.limits import Share, count_in
from wedsync.web import minute_counts
from wedsync.web.minute_counts import MinuteCounts
from wedsync.weddings.models import ApiKey, Organization

pytestmark = pytest.mark.django_db
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@pytest.fixture(autouse=True)
def _one_minute(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """No test runs across the end of a minute."""
    settings.LIMIT_PER_KEY, settings.LIMIT_TICKETS, settings.LIMIT_EMERGENCIES = 3, 2, 2
    counts = MinuteCounts(redis.Redis.from_url(django_settings.REDIS_URL), now=lambda: 1_700_000_010.0)
    monkeypatch.setattr(minute_counts, "shared", lambda: counts)


def used_up(answer: Any) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert answer["Retry-After"] == answer["RateLimit-Reset"] == "30"
    assert answer["RateLimit-Remaining"] == "0"
    return True


def test_every_answer_says_how_the_key_stands(api: Api, ours: Organization) -> None:
    answers = [api.get("/api/integrations/systems/"), api.get("/api/integrations/systems/?x=1"), api.get("/api/none/")]

    assert [answer.status_code for answer in answers] == [200, 400, 404]
    assert [answers[0][name] for name in HEADERS] == ["3", "2", "30"]
    assert answers[1]["RateLimit-Remaining"] == "1"


def test_over_its_limit_a_key_waits_and_another_does_not(api: Api, ours: Organization) -> None:
    ApiKeyFactory(organization=ours, key="wsk_other")
    for _ in range(3):
        assert api.get("/api/integrations/health/").status_code == 200

    assert used_up(api.get("/api/integrations/systems/"))
    assert Api("wsk_other").get("/api/integrations/systems/").status_code == 200


def test_what_is_refused_for_its_scope_counts_too(key: ApiKey, api: Api) -> None:
    ApiKey.objects.update(scopes=["live:read"])

    assert [api.get("/api/integrations/systems/").status_code for _ in range(4)] == [403, 403, 403, 429]


def test_tickets_have_a_limit_of_their_own(api: Api, ours: Organization) -> None:
    for _ in range(2):
        assert api.send("post", "/api/channels/tickets/", {}).status_code == 201

    assert used_up(api.send("post", "/api/channels/tickets/", {}))
    assert api.get("/api/integrations/systems/").status_code == 200


@pytest.mark.parametrize("verb", ["raise", "acknowledge", "resolve"])
def test_ordinary_calls_never_use_up_what_an_emergency_needs(api: Api, ours: Organization, verb: str) -> None:
    wedding = WeddingFactory(organization=ours)
    incident = IncidentFactory(organization=ours, wedding=wedding)
    while not used_up(api.get("/api/incidents/")):
        pass

    if verb == "raise":
        body = {"wedding": str(WeddingFactory(organization=ours).id), "kind": "fire", "description": "x"}
        answers = [api.send("post", "/api/incidents/", body)]
    else:
        answers = [api.send("post", f"/api/incidents/{incident.id}/{verb}/") for _ in range(2)]

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert answers[0]["RateLimit-Limit"] == "2"


def test_a_flood_of_emergencies_is_bounded_too_and_leaves_the_other_calls_alone(api: Api, ours: Organization) -> None:
    incident = IncidentFactory(organization=ours)
    path = f"/api/incidents/{incident.id}/acknowledge/"
    assert [api.send("post", path).status_code for _ in range(3)] == [200, 200, 429]

    assert api.get("/api/incidents/").status_code == 200


def test_a_new_minute_begins_anew(key: ApiKey) -> None:
    now = [1_700_000_010.0]
    counts = MinuteCounts(redis.Redis.from_url(django_settings.REDIS_URL), now=lambda: now[0])
    stood = [count_in(counts, Share.TICKETS, key.id).passes for _ in range(3)]
    now[0] += 60

    assert [*stood, count_in(counts, Share.TICKETS, key.id).passes] == [True, True, False, True]


def test_processes_count_together(key: ApiKey) -> None:
    one, other = (
        MinuteCounts(redis.Redis.from_url(django_settings.REDIS_URL), now=lambda: 1_700_000_070) for _ in "ab"
    )
    count_in(one, Share.CALLS, key.id)

    assert count_in(other, Share.CALLS, key.id).used == 2


def test_without_redis_each_process_counts_alone(key: ApiKey) -> None:
    nobody = redis.Redis(port=free_port(), socket_connect_timeout=0.25)
    counts = MinuteCounts(nobody, now=lambda: 1_700_000_010.0)

    assert [count_in(counts, Share.TICKETS, key.id).passes for _ in range(3)] == [True, True, False]
