"""References and routes by the API, as staff configure them in the admin."""

from typing import Any

import pytest

from integrations.models import ExternalReference, Route
from tests.factories import (
    ContactFactory,
    DeliveryFactory,
    ExternalReferenceFactory,
    ReasonFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.wedsync.api.blamed import fields
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db


def test_a_reference_is_made_changed_and_deleted(api: Api, ours: Organization) -> None:
    system, wedding = SystemFactory(organization=ours), WeddingFactory(organization=ours)
    contact = ContactFactory(organization=ours, wedding=wedding)
    body = {"system": str(system.id), "external_id": "BK-77", "wedding": str(wedding.id)}

    made = api.send("post", "references/", body)
    again = api.send("post", "references/", body)
    changed = api.send("patch", f"references/{made.json()['id']}/", {"contact": str(contact.id)})

    assert made.status_code == 201, made.content
    assert fields(again) == {"external_id"}
    assert changed.json()["contact"] == str(contact.id)
    assert fields(api.send("patch", f"references/{made.json()['id']}/", {"wedding": None, "contact": None})) == {
        "wedding"
    }
    assert api.send("delete", f"references/{made.json()['id']}/").status_code == 204
    assert not ExternalReference.objects.exists()


def test_a_reference_needs_someone_to_point_at(api: Api, ours: Organization) -> None:
    body = {"system": str(SystemFactory(organization=ours).id), "external_id": "BK-77"}

    assert fields(api.send("post", "references/", body)) == {"wedding"}


def test_a_route_is_made_changed_and_deleted_and_its_deliveries_keep_its_name(api: Api, ours: Organization) -> None:
    system = SystemFactory(organization=ours)
    body = {
        "name": "Capacity to the venue",
        "channel_pattern": "supplier:dashboard:{supplierId}",
        "event_types": ["venue.capacity_updated"],
        "target": "system",
        "system": str(system.id),
    }

    made = api.send("post", "channel-config/", body)
    assert made.status_code == 201, made.content
    route = Route.objects.get(id=made.json()["id"])
    reason = ReasonFactory(delivery=DeliveryFactory(organization=ours), route=route)
    changed = api.send("patch", f"channel-config/{route.id}/", {"active": False})
    gone = api.send("delete", f"channel-config/{route.id}/")

    assert (route.organization, route.system, route.event_types) == (ours, system, ["venue.capacity_updated"])
    assert changed.json()["active"] is False
    assert gone.status_code == 204
    reason.refresh_from_db()
    assert (reason.route, reason.route_name) == (None, "Capacity to the venue")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel_pattern": "supplier"}, "channel_pattern"),
        ({"event_types": ["venue.burnt_down"]}, "event_types"),
        ({"target": "system", "system": None}, "system"),
        ({"target": "people", "system": None}, "roles"),
        ({"target": "live", "live_channel": "form:mirror:{formId}"}, "live_channel"),
        ({"roles": ["king"]}, "roles.0"),
        ({"channels": ["fax"]}, "channels.0"),
        ({"target": "nobody"}, "target"),
    ],
)
def test_a_route_that_could_never_match_or_send_is_refused(
    api: Api, ours: Organization, change: dict[str, Any], field: str
) -> None:
    route = RouteFactory(organization=ours)

    assert field in fields(api.send("patch", f"channel-config/{route.id}/", change))
    assert Route.objects.get().channel_pattern == route.channel_pattern


def test_a_reference_shows_what_it_points_at(api: Api, ours: Organization) -> None:
    row = ExternalReferenceFactory(organization=ours)

    shown = api.send("get", f"references/{row.id}/").json()

    assert (shown["system"], shown["wedding"], shown["contact"]) == (str(row.system_id), str(row.wedding_id), None)
