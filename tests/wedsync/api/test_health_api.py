"""``GET /api/integrations/health/``."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from integrations import admission
from integrations.health.round import sweep_health
from integrations.models import OrganizationReading
from tests.factories import AlertFactory, ApiKeyFactory, DeliveryFactory, SystemFactory
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
PATH = "/api/integrations/health/"


@pytest.fixture
def ours() -> Organization:
    organization: Organization = ApiKeyFactory(key="wsk_ours").organization
    return organization


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": "Bearer wsk_ours"})


def test_all_is_well_where_nothing_waits(ours: Organization, client: Client) -> None:
    SystemFactory(organization=ours, name="Studio", kind="studio_cloud")
    sweep_health()

    answer = client.get(PATH)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["score"], body["oldest_due_seconds"], body["alerts"]) == ("healthy", 100, 0.0, [])
    assert body["queues"] == {"low": 0, "normal": 0, "high": 0, "urgent": 0}
    (system,) = body["systems"]
    assert {name: system[name] for name in ("name", "kind", "state", "status", "breaker", "why")} == {
        "name": "Studio",
        "kind": "studio_cloud",
        "state": "active",
        "status": "unused",
        "breaker": "closed",
        "why": ["Not used yet: nothing has been sent to it."],
    }


def test_a_late_delivery_is_critical_and_said_in_words(ours: Organization, client: Client) -> None:
    system = SystemFactory(organization=ours)
    DeliveryFactory(
        organization=ours, system=system, priority="normal", next_attempt_at=timezone.now() - timedelta(minutes=2)
    )
    sweep_health()

    answer = client.get(PATH)

    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "critical"
    assert body["oldest_due_seconds"] == pytest.approx(120, abs=5)
    assert body["queues"]["normal"] == 1
    assert "waited for 120 s" in body["systems"][0]["why"][0]
    assert {alert["cause"] for alert in body["alerts"]} == {"system_critical", "oldest_due"}


def test_an_open_breaker_is_seen_before_the_next_sweep(ours: Organization, client: Client) -> None:
    system = SystemFactory(organization=ours)
    sweep_health()
    lane = admission.lane_of(system)
    for _ in range(5):
        permit = admission.ask(lane, urgent=False)
        admission.report(lane, permit, admission.CallResult.FAILED, delivery_id=uuid4(), alone=False)

    body = client.get(PATH).json()

    assert (body["status"], body["systems"][0]["breaker"]) == ("critical", "open")


def test_a_paused_system_is_shown_and_makes_nothing_critical(ours: Organization, client: Client) -> None:
    SystemFactory(organization=ours, state="paused")
    sweep_health()

    body = client.get(PATH).json()

    assert (body["status"], body["systems"][0]["state"]) == ("healthy", "paused")


def test_figures_that_no_longer_come_are_critical(ours: Organization, client: Client, settings: Settings) -> None:
    SystemFactory(organization=ours)
    sweep_health()
    OrganizationReading.objects.update(taken_at=timezone.now() - timedelta(seconds=4 * settings.HEALTH_SECONDS))

    body = client.get(PATH).json()

    assert body["status"] == "critical"
    assert "health sweep" in body["why"][0]


def test_an_organization_that_was_not_swept_yet_is_answered_too(ours: Organization, client: Client) -> None:
    SystemFactory(organization=ours)

    body = client.get(PATH).json()

    assert (body["status"], body["taken_at"], body["systems"][0]["success_rate"]) == ("healthy", None, None)


def test_nothing_of_another_organization_is_told(ours: Organization, client: Client) -> None:
    theirs = SystemFactory(name="Their system")
    DeliveryFactory(
        organization=theirs.organization, system=theirs, next_attempt_at=timezone.now() - timedelta(minutes=5)
    )
    AlertFactory(organization=theirs.organization, system=theirs, text="Their alert")
    sweep_health()

    answer = client.get(PATH)

    body = answer.json()
    assert (body["status"], body["systems"], body["alerts"], sum(body["queues"].values())) == ("healthy", [], [], 0)
    assert "Their" not in answer.content.decode()


def test_without_a_key_nothing_is_told(ours: Organization) -> None:
    assert Client().get(PATH).status_code == 401


def test_the_answer_costs_as_many_queries_for_many_systems(
    ours: Organization, client: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        SystemFactory(organization=ours)
    sweep_health()

    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert len(client.get(PATH).json()["systems"]) == 20
