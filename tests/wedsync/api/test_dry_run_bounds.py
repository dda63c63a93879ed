"""What a dry run costs, and to whom it shows people."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import RouteCondition
from integrations.routing import dry_run
from tests.factories import (
    AddressFactory,
    ApiKeyFactory,
    ContactFactory,
    EntryFactory,
    EventFactory,
    ExternalReferenceFactory,
    RouteFactory,
    SystemFactory,
)
from tests.wedsync.api.conftest import Api
from wedsync.api.integrations import dry_run as endpoint
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
PERSON, PHONE, EMAIL, COUPLE = "Zsazsa Gabor", "+436601234567", "zsazsa@people.example", "Xantippe & Yorick"


@pytest.fixture
def tried(ours: Organization) -> dict[str, Any]:
    """An event that would go to a system and to a person, by a route that asks for the couple's name."""
    reference = ExternalReferenceFactory(
        organization=ours, wedding__organization=ours, wedding__couple=COUPLE, system__organization=ours
    )
    wedding = reference.wedding
    ContactFactory(organization=ours, wedding=wedding, name=PERSON, role="couple", phone=PHONE, email=EMAIL)
    AddressFactory(organization=ours, channel="email", value=EMAIL)
    event = EventFactory(
        organization=ours,
        wedding=wedding,
        type="guest_count.changed",
        payload={"guest_count": 120, "extra": {"name": PERSON, "email": EMAIL, "phone": PHONE}},
    )
    channel = EntryFactory(organization=ours, event=event).channel
    common: Any = {"organization": ours, "channel_pattern": channel.name, "event_types": []}
    to_system = RouteFactory(**common, system=reference.system, mapping={"mail": "extra.email"})
    SystemFactory(organization=ours, kind="email")
    RouteFactory(**common, target="people", roles=["couple"], channels=["email"], system=None)
    for path, value in (("wedding.couple", COUPLE), ("extra.email", EMAIL)):
        RouteCondition.objects.create(route=to_system, path=path, operator="starts_with", value=value[:1])
    return {"event_id": str(event.id)}


def run(scopes: list[str], organization: Organization, body: dict[str, Any]) -> Any:
    ApiKeyFactory(organization=organization, key="wsk_" + "_".join(scopes), scopes=scopes)
    answer = Api("wsk_" + "_".join(scopes)).send("post", "channel-config/dry-run/", body)
    assert answer.status_code == 200, answer.content
    return answer


def test_a_key_that_may_read_people_sees_who_would_get_what(ours: Organization, tried: dict[str, Any]) -> None:
    answer = run(["config:read", "deliveries:read", "events:read"], ours, tried)

    told = answer.json()["deliveries"]
    assert len(told) == 2
    assert not any(each["hidden"] for each in told)
    assert f"{PERSON}, {EMAIL}" in {each["recipient"] for each in told}
    assert EMAIL in answer.content.decode()
    assert COUPLE in answer.content.decode()


def test_a_key_for_configuration_alone_sees_nobody(ours: Organization, tried: dict[str, Any]) -> None:
    answer = run(["config:read"], ours, tried)

    text, body = answer.content.decode(), answer.json()
    assert not any(secret in text for secret in (PERSON, "Zsazsa", PHONE, EMAIL, COUPLE, "Yorick"))
    assert [each["hidden"] for each in body["deliveries"]] == [True, True]
    assert {each["channel"] for each in body["deliveries"]} == {"system", "email"}
    assert all(each["matches"] for each in body["routes"])


@pytest.mark.parametrize(
    ("scope", "people_shown", "found_shown"), [("deliveries:read", True, False), ("events:read", False, True)]
)
def test_each_scope_shows_its_own_part(
    ours: Organization, tried: dict[str, Any], scope: str, people_shown: bool, found_shown: bool
) -> None:
    answer = run(["config:read", scope], ours, tried)

    found = [check["found"] for route in answer.json()["routes"] for check in route["checks"] if "found" in check]
    people = [each["recipient"] for each in answer.json()["deliveries"]]
    assert (f"{PERSON}, {EMAIL}" in people) == people_shown
    assert ([COUPLE] in found) == found_shown


def test_when_its_time_is_over_a_dry_run_says_what_it_left_out(
    api: Api, ours: Organization, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MOST_SECONDS", 0.0)

    body = api.send("post", "channel-config/dry-run/", tried).json()

    assert [each["problem"] for each in body["routes"]] == ["omitted: the time for one dry run was up"] * 2
    assert body["deliveries"] == []


def test_what_is_too_much_to_show_is_listed_without_its_content(
    api: Api, ours: Organization, tried: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MOST_CHARACTERS", 1)

    first, second = api.send("post", "channel-config/dry-run/", tried).json()["deliveries"]

    assert first["request"] or first["message"]
    assert (second["request"], second["problem"]) == (None, "left out: this dry run already shows too much")


def test_an_organization_has_one_dry_run_at_a_time(api: Api, ours: Organization, tried: dict[str, Any]) -> None:
    with endpoint._one_at_a_time(ours.id):
        refused = api.send("post", "channel-config/dry-run/", tried)

    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert api.send("post", "channel-config/dry-run/", tried).status_code == 200
