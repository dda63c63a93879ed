"""Events that came without a wedding, and how they get one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations import sweep
from integrations.models import Delivery, ExternalReference, System
from integrations.references import linking
from integrations.references.late_linking import LateLinking
from integrations.references.linking import CannotLink
from integrations.routing import route_event
from tests.at_once import at_once
from tests.factories import (
    ConnectionFactory,
    ContactFactory,
    EventFactory,
    ExternalReferenceFactory,
    OrganizationFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.weddings.models import Wedding

Kind = ExternalReference.Kind
pytestmark = pytest.mark.django_db


def unlinked(system: System, booking_id: str | None = "BK-77", **rest: Any) -> ChannelEvent:
    payload = {"capacity": 180} | ({"booking_id": booking_id} if booking_id else {})
    made: ChannelEvent = EventFactory(
        **{
            "organization": system.organization,
            "wedding": None,
            "source_system_id": system.id,
            "routing": "unlinked",
            "effect": "pending",
            "payload": payload,
        }
        | rest
    )
    return made


@pytest.fixture
def system() -> System:
    return SystemFactory()


@pytest.fixture
def wedding(system: System) -> Wedding:
    return WeddingFactory(organization=system.organization)


def names_of(event: ChannelEvent) -> set[str]:
    return set(ChannelEntry.objects.filter(event=event).values_list("channel__name", flat=True))


def test_one_event_alone_gets_its_wedding_and_its_channels_and_makes_no_reference(
    system: System, wedding: Wedding
) -> None:
    event, other = unlinked(system), unlinked(system)

    assert linking.link(event, wedding, all_like_it=False) == 1

    event.refresh_from_db()
    assert (event.wedding, event.routing) == (wedding, "pending")
    assert event.payload == {"capacity": 180, "booking_id": "BK-77", "wedding_id": str(wedding.id)}
    assert f"couple:dashboard:{wedding.id}" in names_of(event)
    other.refresh_from_db()
    assert other.routing == "unlinked"
    assert not ExternalReference.objects.exists()


def test_all_like_it_are_linked_and_the_reference_stands_for_those_to_come(system: System, wedding: Wedding) -> None:
    event, like_it = unlinked(system), unlinked(system, type="guest_count.changed")
    others = [
        unlinked(system, "BK-78"),
        unlinked(system, None),
        unlinked(SystemFactory(organization=system.organization)),
        unlinked(SystemFactory()),
        unlinked(system, organization=OrganizationFactory()),
    ]

    assert set(linking.like(event)) == {event, like_it}
    assert linking.link(event, wedding, all_like_it=True) == 2

    reference = ExternalReference.objects.get()
    assert (reference.system, reference.external_id, reference.wedding) == (system, "BK-77", wedding)
    assert reference.organization_id == system.organization_id
    assert f"supplier:dashboard:{system.id}" in names_of(like_it), "its system is a supplier of the wedding now"
    assert not ChannelEvent.objects.filter(id__in=[other.id for other in others]).exclude(routing="unlinked").exists()


def test_linked_events_stand_on_the_channel_in_the_order_in_which_they_happened(
    system: System, wedding: Wedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "BATCH", 2)
    now = timezone.now()
    ages = [3, 1, 4, 2, 5]
    events = {age: unlinked(system, occurred_at=now - timedelta(hours=age)) for age in ages}

    assert linking.link(events[1], wedding, all_like_it=True) == 5

    couple = ChannelEntry.objects.filter(channel__name=f"couple:dashboard:{wedding.id}").order_by("sequence")
    assert list(couple.values_list("event_id", flat=True)) == [events[age].id for age in sorted(ages, reverse=True)]
    assert list(couple.values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]


def test_a_clients_name_makes_a_reference_of_that_kind(system: System, wedding: Wedding) -> None:
    event = unlinked(system, None, type="client.updated", payload={"client_id": "C-1"})
    booked = unlinked(system, "BK-9", payload={"client_id": "C-1", "booking_id": "BK-9"})

    assert linking.link(event, wedding, all_like_it=True) == 1

    reference = ExternalReference.objects.get()
    assert (reference.kind, reference.external_id) == (Kind.CLIENT, "C-1")
    booked.refresh_from_db()
    assert booked.routing == "unlinked", "its booking says more"


def test_a_name_that_stands_for_another_wedding_is_refused_with_words(system: System, wedding: Wedding) -> None:
    event = unlinked(system)
    other = WeddingFactory(organization=system.organization, couple="Carla & Dan")
    ExternalReferenceFactory(organization=system.organization, system=system, external_id="BK-77", wedding=other)

    with pytest.raises(CannotLink, match="BK-77 of .* already means Carla & Dan"):
        linking.link(event, wedding, all_like_it=True)

    event.refresh_from_db()
    assert event.routing == "unlinked"
    assert linking.link(event, wedding, all_like_it=False) == 1


def test_another_organizations_wedding_is_refused(system: System) -> None:
    event, foreign = unlinked(system), WeddingFactory()

    for all_like_it in (False, True):
        with pytest.raises(CannotLink, match="another organization"):
            linking.link(event, foreign, all_like_it=all_like_it)
    assert linking.link_each([event.id], foreign) == 0
    assert not ExternalReference.objects.exists()


def test_an_event_that_names_nothing_can_only_be_linked_alone(system: System, wedding: Wedding) -> None:
    event = unlinked(system, None)

    assert list(linking.like(event)) == [event]
    with pytest.raises(CannotLink, match="Link only this one"):
        linking.link(event, wedding, all_like_it=True)


def test_a_paused_connections_events_are_held_until_it_is_resumed(system: System, wedding: Wedding) -> None:
    door = ConnectionFactory(organization=system.organization, system=system, state="paused")
    event = unlinked(system, source_connection_id=door.id)

    linking.link(event, wedding, all_like_it=False)

    event.refresh_from_db()
    assert event.routing == "held"


def test_a_linked_event_changes_the_wedding_and_goes_where_the_routes_lead(system: System, wedding: Wedding) -> None:
    target = SystemFactory(organization=system.organization)
    RouteFactory(organization=system.organization, system=target, channel_pattern="couple:dashboard:*")
    ExternalReferenceFactory(organization=system.organization, system=target, wedding=wedding)
    event = unlinked(system, type="guest_count.changed", payload={"guest_count": 120, "booking_id": "BK-77"})

    linking.link(event, wedding, all_like_it=True)
    assert route_event.route(event.id) == 1

    wedding.refresh_from_db()
    assert wedding.guest_count == 120
    assert Delivery.objects.get(event=event).system == target


def test_the_sweep_links_what_a_new_reference_names_and_nothing_else(system: System, wedding: Wedding) -> None:
    event, unnamed, foreign = unlinked(system), unlinked(system, "BK-78"), unlinked(SystemFactory())
    contact = ContactFactory(organization=system.organization, wedding=wedding)
    of_client = unlinked(system, None, type="client.updated", payload={"client_id": "C-1"})
    assert sweep.sweep().linked == 0

    mine = {"organization": system.organization, "system": system}
    ExternalReferenceFactory(**mine, external_id="BK-77", wedding=wedding)
    ExternalReferenceFactory(**mine, external_id="C-1", kind=Kind.CLIENT, wedding=None, contact=contact)

    assert sum(sweep.sweep().linked for _ in range(2)) == 2, "at the latest when its walk begins anew"
    assert set(ChannelEvent.objects.filter(wedding=wedding)) == {event, of_client}
    assert set(ChannelEvent.objects.filter(routing="unlinked")) == {unnamed, foreign}


def test_late_linking_walks_through_all_in_bounded_rounds(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LateLinking, "PAGE", 2)
    monkeypatch.setattr(LateLinking, "PAGES", 1)
    monkeypatch.setattr(LateLinking, "MOST_LINKED", 2)
    systems = [system, SystemFactory(), SystemFactory()]
    for each in systems:
        for number in range(3):
            unlinked(each, f"BK-{number}")
        for _ in range(5):
            unlinked(each, "known")
        ExternalReferenceFactory(
            organization=each.organization,
            system=each,
            external_id="known",
            wedding=WeddingFactory(organization=each.organization),
        )
    late_linking = LateLinking()

    rounds = [late_linking.round() for _ in range(30)]

    assert max(rounds) <= 2
    assert sum(rounds) == 15
    assert ChannelEvent.objects.filter(routing="unlinked").count() == 9


@pytest.mark.django_db(transaction=True)
def test_many_who_link_the_same_at_once_link_each_event_once() -> None:
    system = SystemFactory()
    wedding = WeddingFactory(organization=system.organization)
    events = [unlinked(system) for _ in range(12)]

    def link(number: int) -> int:
        if number == 0:
            return linking.link_each([event.id for event in events[:5]], wedding)
        return linking.link(events[number], wedding, all_like_it=True)

    linked = at_once(5, link)

    assert sum(linked) + LateLinking().round() == 12
    entries = ChannelEntry.objects.filter(channel__name=f"couple:dashboard:{wedding.id}")
    assert sorted(entries.values_list("sequence", flat=True)) == list(range(1, 13))
    assert ExternalReference.objects.filter(system=system).count() == 1
