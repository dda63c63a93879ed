"""Staff say which wedding an event is about, one at a time or many at once, inside their organization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import ExternalReference, System
from tests import factories
from tests.wedsync.admin.conftest import House
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Membership, Wedding

SignIn = Callable[..., Client]
Role = Membership.Role
LIST = "/admin/live/channelevent/"


def unlinked(house: House, booking_id: str | None = "BK-1", **rest: Any) -> ChannelEvent:
    payload = {"capacity": 7} | ({"booking_id": booking_id} if booking_id else {})
    mine = {"organization": house.organization, "source_system_id": house.rows[System].pk, "payload": payload}
    made: ChannelEvent = factories.EventFactory(**mine | {"wedding": None, "routing": "unlinked"} | rest)
    return made


def link_page(event: ChannelEvent) -> str:
    return f"{LIST}{event.pk}/link/"


def state(event: ChannelEvent) -> tuple[str, Any]:
    event.refresh_from_db()
    return event.routing, event.wedding


@pytest.fixture
def client(ours: House, sign_in: SignIn) -> Client:
    return sign_in(ours, role=Role.SUPPORT)


def test_the_page_counts_what_is_alike_and_looking_changes_nothing(client: Client, ours: House) -> None:
    event, like_it = unlinked(ours), unlinked(ours)

    text = client.get(link_page(event)).content.decode()

    assert "all 2 like it, and future ones" in text
    assert "booking BK-1" in text
    assert state(event) == state(like_it) == ("unlinked", None)


@pytest.mark.parametrize(("how", "linked", "references"), [("one", 1, 0), ("all", 2, 1)])
def test_one_or_all_are_linked_as_chosen(how: str, linked: int, references: int, client: Client, ours: House) -> None:
    event, wedding = unlinked(ours), ours.rows[Wedding]
    unlinked(ours)

    answer = client.post(link_page(event), {"wedding": wedding.pk, "how": how}, follow=True)

    assert f"{linked}. They are routed now." in answer.content.decode()
    assert state(event) == ("pending", wedding)
    assert ChannelEvent.objects.filter(wedding=wedding, routing="pending").count() == linked
    assert ExternalReference.objects.filter(external_id="BK-1").count() == references
    history = client.get(f"{LIST}{event.pk}/history/").content.decode()
    assert "Linked to" in history


def test_an_event_that_names_nothing_is_offered_alone(client: Client, ours: House) -> None:
    text = client.get(link_page(unlinked(ours, None))).content.decode()

    assert "like it" not in text
    assert "no booking and no client" in text


def test_a_name_that_stands_for_another_wedding_is_explained_on_the_page(client: Client, ours: House) -> None:
    event = unlinked(ours)
    mine = {"organization": ours.organization}
    factories.ExternalReferenceFactory(
        **mine, system=ours.rows[System], external_id="BK-1", wedding=factories.WeddingFactory(**mine)
    )

    answer = client.post(link_page(event), {"wedding": ours.rows[Wedding].pk, "how": "all"})

    assert "already means" in answer.content.decode()
    assert state(event)[0] == "unlinked"


def test_another_organizations_wedding_is_neither_offered_nor_taken(
    ours: House, theirs: House, sign_in: SignIn
) -> None:
    for client in (sign_in(ours), sign_in(ours, theirs), sign_in(operator=True)):
        event, wedding = unlinked(ours), theirs.rows[Wedding]
        query = {"app_label": "integrations", "model_name": "externalreference", "field_name": "wedding", "term": ""}
        offered = client.get(reverse("admin:live_channelevent_weddings", args=[ours.organization.pk]), query)
        assert str(ours.rows[Wedding].pk) in offered.content.decode()
        assert theirs.mark not in offered.content.decode()

        for how in ("one", "all"):
            answer = client.post(link_page(event), {"wedding": wedding.pk, "how": how})
            assert theirs.mark not in answer.content.decode()
        assert state(event) == ("unlinked", None)
        assert "wedding" in answer.context["form"].errors


def test_another_organizations_events_can_not_be_linked(ours: House, theirs: House, client: Client) -> None:
    event = unlinked(theirs)

    assert client.get(link_page(event)).status_code == 404
    assert client.post(link_page(event), {"wedding": ours.rows[Wedding].pk, "how": "one"}).status_code == 404
    client.post(LIST, chosen(event, wedding=ours.rows[Wedding].pk))
    query = {"app_label": "integrations", "model_name": "externalreference", "field_name": "wedding", "term": ""}
    offered = client.get(reverse("admin:live_channelevent_weddings", args=[theirs.organization.pk]), query)

    assert theirs.mark not in offered.content.decode()
    assert state(event) == ("unlinked", None)


def test_a_planner_looks_and_does_not_link(ours: House, sign_in: SignIn) -> None:
    client, event = sign_in(ours, role=Role.PLANNER), unlinked(ours)

    text = client.get(f"{LIST}{event.pk}/change/").content.decode()

    assert "/link/" not in text
    assert client.get(link_page(event)).status_code == 404
    client.post(LIST, chosen(event, wedding=ours.rows[Wedding].pk))
    assert state(event) == ("unlinked", None)


def test_the_button_stands_on_unlinked_events_only(client: Client, ours: House) -> None:
    assert "/link/" in client.get(f"{LIST}{unlinked(ours).pk}/change/").content.decode()
    assert "/link/" not in client.get(f"{LIST}{ours.rows[ChannelEvent].pk}/change/").content.decode()
    answer = client.post(link_page(ours.rows[ChannelEvent]), {"wedding": ours.rows[Wedding].pk, "how": "one"})
    assert answer.status_code == 302
    assert state(ours.rows[ChannelEvent])[0] == "routed"


def chosen(*events: ChannelEvent, **answers: Any) -> dict[str, Any]:
    """What a browser posts for the action, at first, and with ``answers`` from the page that asks."""
    return {
        "action": "link_selected",
        "index": "0",
        "_selected_action": [str(event.pk) for event in events],
        **({"answered": "yes", **answers} if answers else {}),
    }


def test_selected_events_are_counted_first_and_then_linked_without_a_reference(client: Client, ours: House) -> None:
    first, second, third = unlinked(ours), unlinked(ours, "BK-2"), unlinked(ours)

    asked = client.post(LIST, chosen(first, second, ours.rows[ChannelEvent]))
    assert "Link 2 events to one wedding" in asked.content.decode()
    assert state(first) == ("unlinked", None)
    client.post(LIST, chosen(first, second, wedding=ours.rows[Wedding].pk))

    assert state(first) == state(second) == ("pending", ours.rows[Wedding])
    assert state(third) == ("unlinked", None)
    assert not ExternalReference.objects.filter(external_id__startswith="BK").exists()


def test_all_of_a_filtered_list_are_linked_but_none_that_came_after_the_question(client: Client, ours: House) -> None:
    first, second = unlinked(ours), unlinked(ours)
    filtered = f"{LIST}?routing__exact=unlinked"
    asked = client.post(filtered, {**chosen(first), "select_across": "1"})
    hidden = dict(asked.context["hidden"])
    assert "Link 2 events" in asked.content.decode()
    later = unlinked(ours)

    answers = {"newest": hidden["newest"], "wedding": ours.rows[Wedding].pk}
    client.post(filtered, {**chosen(first, **answers), "select_across": "1"})

    assert state(first)[0] == state(second)[0] == "pending"
    assert state(later)[0] == "unlinked"


def test_events_of_two_organizations_are_not_linked_together(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(operator=True)
    events = [unlinked(ours), unlinked(theirs)]

    answer = client.post(LIST, chosen(*events, wedding=ours.rows[Wedding].pk), follow=True)

    assert "one organization only" in answer.content.decode()
    assert [state(event)[0] for event in events] == ["unlinked", "unlinked"]
