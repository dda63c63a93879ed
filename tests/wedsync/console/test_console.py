"""The console shows one organization, to its own staff, and nothing of another."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from integrations.health import alerts
from integrations.health.round import sweep_health
from integrations.models.health import Cause
from tests import factories
from wedsync.console.overview import summary
from wedsync.ids import first_id_since, new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours() -> Organization:
    return factories.OrganizationFactory(name="Lakeside", slug="lakeside")


@pytest.fixture
def theirs() -> Organization:
    return factories.OrganizationFactory(name="Zwettl", slug="zwettl")


@pytest.fixture
def client(ours: Organization) -> Client:
    return signed_in(factories.MembershipFactory(organization=ours).user)


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def fill(organization: Organization, mark: str) -> object:
    """An event with everything that hangs on it."""
    mine = {"organization": organization}
    wedding = factories.WeddingFactory(**mine, couple=f"{mark} couple", date=timezone.now().date())
    system = factories.SystemFactory(**mine, name=f"{mark} system")
    event = factories.EventFactory(**mine, wedding=wedding, payload={"reason": f"{mark} reason"})
    factories.EntryFactory(
        channel=factories.ChannelFactory(**mine, name=f"couple:dashboard:{wedding.pk}", last_sequence=7),
        event=event,
        sequence=7,
    )
    delivery = factories.DeliveryFactory(**mine, event=event, system=system, target=f"{mark}@people.example")
    factories.AlertFactory(**mine, system=system, text=f"{mark} alert")
    factories.ReasonFactory(delivery=delivery, route_name=f"{mark} route")
    factories.AttemptFactory(delivery=delivery, error=f"{mark} error", milliseconds=4321)
    factories.MessageFactory(**mine, delivery=delivery, subject=f"{mark} subject", text=f"{mark} text")
    connection = factories.ConnectionFactory(**mine, system=system)
    factories.ReceiptFactory(**mine, id=event.pk, event_id=event.pk, connection=connection, external_id=f"{mark}-1")
    return event


def test_strangers_are_sent_to_the_sign_in() -> None:
    for path in ("/", f"/events/{uuid4()}/"):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_users_who_are_no_staff_see_nothing(ours: Organization) -> None:
    member = factories.MembershipFactory(organization=ours, user__is_staff=False)

    assert signed_in(member.user).get("/").status_code == 302


def test_staff_without_an_organization_get_a_friendly_page(ours: Organization) -> None:
    answer = signed_in(factories.UserFactory()).get("/")

    assert answer.status_code == 200
    assert "do not belong to an organization" in answer.content.decode()


def test_the_dashboard_shows_our_own_and_nothing_else(client: Client, ours: Organization, theirs: Organization) -> None:
    event = fill(ours, "Lakeside")
    fill(theirs, "Zwettl")

    text = client.get("/").content.decode()

    assert "Zwettl" not in text
    assert str(theirs.pk) not in text
    for part in ("Lakeside couple", "Lakeside system", "reason: Lakeside reason", f"/events/{event.pk}/"):  # type: ignore[attr-defined]
        assert part in text


@pytest.mark.parametrize(
    "query", ["?q=Zwettl"[:-1], "?state=pending", "?channel=system", "?page=2", "?page=x&state=nonsense"]
)
def test_no_filter_leads_to_another_organization(
    query: str, client: Client, ours: Organization, theirs: Organization
) -> None:
    fill(theirs, "Zwettl")

    answer = client.get("/" + query)

    assert answer.status_code == 200
    assert "Zwettl" not in answer.content.decode()


def test_another_organization_is_not_found(client: Client, theirs: Organization) -> None:
    event = fill(theirs, "Zwettl")

    assert client.get("/?organization=zwettl").status_code == 404
    assert client.get("/?organization=nowhere").status_code == 404
    assert client.get(f"/events/{event.pk}/").status_code == 404  # type: ignore[attr-defined]


def test_operators_choose_an_organization(ours: Organization, theirs: Organization) -> None:
    fill(ours, "Lakeside")
    event = fill(theirs, "Zwettl")
    operator = signed_in(factories.UserFactory(is_superuser=True))

    text = operator.get("/?organization=zwettl").content.decode()

    assert "Zwettl couple" in text
    assert "Lakeside couple" not in text
    assert "you are not a member here" in text
    assert operator.get(f"/events/{event.pk}/").status_code == 200  # type: ignore[attr-defined]


def test_the_trace_tells_the_whole_way(client: Client, ours: Organization) -> None:
    event = fill(ours, "Lakeside")

    text = client.get(f"/events/{event.pk}/").content.decode()  # type: ignore[attr-defined]

    for part in (
        "Lakeside-1", "Lakeside reason", "couple:dashboard:", "#7", "applied", "Lakeside route", "4321 ms",
        "Lakeside error", "Lakeside subject", "Lakeside text",
    ):  # fmt: skip
        assert part in text, part


def test_the_page_follows_its_channels_from_what_it_shows(client: Client, ours: Organization) -> None:
    event = fill(ours, "Lakeside")

    text = client.get("/").content.decode()

    found = re.search(r'data-positions="([^"]*)"', text)
    assert found
    positions = json.loads(found.group(1).replace("&quot;", '"'))
    assert positions[f"couple:dashboard:{event.wedding_id}"]["last"] == 7  # type: ignore[attr-defined]
    assert positions[f"urgent:wedding-day:{ours.pk}"]["last"] == 0
    assert len(positions) <= 128


def test_pages_carry_a_strict_policy_and_no_inline_script(client: Client, ours: Organization) -> None:
    event = fill(ours, "<script>alert(1)</script>")

    for path in ("/", f"/events/{event.pk}/"):  # type: ignore[attr-defined]
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "alert(1)</script>" not in answer.content.decode()
        assert not re.search(r"<script(?![^>]* src=)", answer.content.decode())
        assert " style=" not in answer.content.decode()


def test_cards_count_the_last_day_by_state(client: Client, ours: Organization) -> None:
    for state in ("succeeded", "succeeded", "dead"):
        factories.DeliveryFactory(organization=ours, state=state)

    text = client.get("/").content.decode()

    assert re.search(r"<strong>2</strong> <span>succeeded", text)
    assert re.search(r"<strong>1</strong> <span>dead", text)


def test_deliveries_are_paged_and_searched(client: Client, ours: Organization) -> None:
    event = factories.EventFactory(organization=ours)
    for number in range(30):
        factories.DeliveryFactory(organization=ours, event=event, target=f"target-{number:02d}")
    named = factories.SystemFactory(organization=ours, name="Odd one")
    factories.DeliveryFactory(organization=ours, system=named)

    assert "Older" in client.get("/").content.decode()
    assert "Newer" in client.get("/?page=2").content.decode()
    found = client.get("/?q=odd").context["page"].rows
    assert [row.system for row in found] == [named]
    assert len(client.get(f"/?q={event.pk}").context["page"].rows) == 25


def test_the_dashboard_asks_a_bounded_number_of_queries(
    client: Client, ours: Organization, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        fill(ours, f"Lakeside {number}")

    with django_assert_max_num_queries(16):  # type: ignore[operator]
        client.get("/")


def test_ids_of_a_time_bound_the_rows_made_since() -> None:
    now = timezone.now()

    assert first_id_since(now - timedelta(seconds=1)) < new_id() < first_id_since(now + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        ({"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]}, "ceremony time 15:00 → 16:00"),
        ({"wedding_id": "x", "capacity": 180, "previous": 150}, "capacity 150 → 180"),
        ({"kind": "power_outage", "extra": {}, "description": "dark"}, "kind: power_outage, description: dark"),
        ({"changes": [{"field": "venue_name", "before": None, "after": "Seehof"}]}, "venue name none → Seehof"),
        ({"milestone": "menu", "done": True, "notes": "", "extra": None}, "milestone: menu, done: true"),
    ],
)
def test_an_event_is_one_line(payload: dict[str, object], line: str) -> None:
    assert summary(payload) == line


def test_systems_stand_there_with_their_health_the_stopped_and_the_worst_first(
    client: Client, ours: Organization
) -> None:
    for name, state in {"Aaa well": "active", "Bbb late": "active", "Ccc paused": "paused"}.items():
        system = factories.SystemFactory(organization=ours, name=name, state=state)
        if "late" in name:
            factories.DeliveryFactory(
                organization=ours, system=system, next_attempt_at=timezone.now() - timedelta(minutes=2)
            )
    sweep_health()

    text = client.get("/").content.decode()

    places = [text.index(part) for part in ("Open alerts", "Ccc paused</a>", "Bbb late</a>", "Aaa well</a>")]
    assert places == sorted(places)
    assert '<span class="badge critical">critical</span>' in text
    assert "waited for 120 s" in text
    assert f"ops:health:{ours.pk}" in text


def test_what_tells_of_wedsync_itself_is_not_called_unlinked(client: Client, ours: Organization) -> None:
    alerts.raise_alert(ours.pk, Cause.SWEEP_SILENT, "No sign of the sweep.")
    event = ChannelEvent.objects.get()

    for path in ("/", f"/events/{event.pk}/"):
        text = client.get(path).content.decode()
        assert "No sign of the sweep." in text
        assert "linked to a wedding" not in text


def test_an_emergency_without_a_wedding_stands_above_everything_and_unlinked_events_are_counted(
    client: Client, ours: Organization, theirs: Organization
) -> None:
    mine = factories.IncidentFactory(organization=ours, wedding=None, kind="", description="Smoke in the cellar")
    factories.IncidentFactory(organization=theirs, wedding=None, description="Not ours")
    factories.EventFactory(organization=ours, wedding=None, routing="unlinked")

    page = client.get("/").content.decode()

    assert page.index("Smoke in the cellar") < page.index("Deliveries of the last 24 hours")
    assert '<strong class="bad">emergency</strong>' in page
    assert "Not ours" not in page
    assert "1 event without a wedding" in page
    assert f"/incident/{mine.pk}/choose-wedding" in page or "choose-wedding" in page
    assert "1 event waits for a wedding" in page
