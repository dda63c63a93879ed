"""Events of a client's own type: to systems and live channels by routes, to people only in the organization's words."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from integrations.models import Delivery, Route, System
from integrations.routing import dry_run, route_event
from integrations.routing.dry_run import Paste
from integrations.system_channel.sender import SystemSender
from notifications import wording
from notifications.channels import subjects
from notifications.message_templates import versions
from notifications.models import Notification
from tests.factories import (
    AddressFactory,
    ChannelFactory,
    ContactFactory,
    EntryFactory,
    EventFactory,
    MessageTemplateFactory,
    RouteFactory,
    SystemFactory,
)
from tests.integrations.routing.routed_events import people_route
from wedsync.live.models import ChannelEntry, ChannelEvent

pytestmark = pytest.mark.django_db
TYPE = "custom.menu_chosen"
TEXT = "The menu is {{ payload.menu }}"


def published(wedding: Any, name: str = TYPE) -> ChannelEvent:
    event = EventFactory(
        organization=wedding.organization,
        wedding=wedding,
        type=name,
        payload={"menu": "veal"},
        source="api",
        routing="pending",
        effect="pending",
        priority="normal",
    )
    channel = ChannelFactory(organization=wedding.organization, name=f"couple:dashboard:{wedding.id}")
    EntryFactory(channel=channel, event=event)
    return event


def person(wedding: Any, **more: Any) -> Any:
    contact = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple", **more)
    AddressFactory(organization=wedding.organization, value=contact.phone)
    return contact


def test_a_signed_webhook_gets_the_event_as_it_is(wedding: Any) -> None:
    system = SystemFactory(organization=wedding.organization, kind=System.Kind.WEBHOOK)
    RouteFactory(
        organization=wedding.organization, channel_pattern="couple:*:*", event_types=["custom.*"], system=system
    )
    event = published(wedding)

    route_event.route(event.id)

    delivery = Delivery.objects.get(event=event)
    assert (delivery.system_id, delivery.state) == (system.id, "pending")
    request = SystemSender().render(delivery)
    assert '"type": "custom.menu_chosen"' in request.body
    assert '"payload": {"menu": "veal"}' in request.body
    event.refresh_from_db()
    assert (event.routing, event.effect) == ("routed", "none")


def test_a_system_without_such_a_call_gets_nothing(wedding: Any) -> None:
    for kind in (System.Kind.STUDIO_CLOUD, System.Kind.VENUE_MASTER):
        system = SystemFactory(organization=wedding.organization, kind=kind)
        RouteFactory(organization=wedding.organization, channel_pattern="couple:*:*", event_types=[], system=system)

    assert route_event.route(published(wedding).id) == 0


def test_a_further_live_channel_shows_it(wedding: Any) -> None:
    RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{wedding}",
        event_types=[TYPE],
        target=Route.Target.LIVE,
        system=None,
        live_channel="kitchen:menus:{wedding}",
    )
    event = published(wedding)

    route_event.route(event.id)

    assert ChannelEntry.objects.filter(event=event, channel__name=f"kitchen:menus:{wedding.id}").exists()


def test_without_a_template_of_their_own_nobody_is_told_and_the_trace_says_why(wedding: Any) -> None:
    people_route(wedding)
    contact = person(wedding)
    event = published(wedding)

    route_event.route(event.id)

    delivery = Delivery.objects.get(event=event)
    assert (delivery.contact_id, delivery.state, delivery.state_reason) == (contact.id, "skipped", "no_template")
    assert Notification.objects.get(event=event).state == "failed"


def test_with_a_template_of_their_own_people_are_told_in_its_words(wedding: Any) -> None:
    people_route(wedding)
    person(wedding)
    MessageTemplateFactory(organization=wedding.organization, event_type=TYPE, text=TEXT)
    event = published(wedding)

    route_event.route(event.id)

    delivery = Delivery.objects.get(event=event)
    assert delivery.state == "pending"
    assert wording.write(subjects.of(delivery)).headline == "The menu is veal"


@pytest.mark.parametrize(
    ("template", "state"),
    [
        ({"locale": "de"}, "skipped"),
        ({"locale": "en"}, "pending"),
        ({"channel": "email"}, "skipped"),
        ({"channel": "whatsapp"}, "pending"),
        ({"event_type": "custom.other"}, "skipped"),
        ({"active": False}, "skipped"),
    ],
)
def test_only_a_template_that_the_reader_can_get_counts(wedding: Any, template: dict[str, Any], state: str) -> None:
    people_route(wedding, channels=["whatsapp"])
    person(wedding, locale="en")
    MessageTemplateFactory(organization=wedding.organization, **{"event_type": TYPE, "text": TEXT, **template})

    event = published(wedding)
    route_event.route(event.id)

    assert Delivery.objects.get(event=event).state == state


def test_another_organizations_template_counts_for_nothing(wedding: Any) -> None:
    people_route(wedding)
    person(wedding)
    MessageTemplateFactory(event_type=TYPE, text=TEXT)

    event = published(wedding)
    route_event.route(event.id)

    assert Delivery.objects.get(event=event).state == "skipped"


def test_a_team_is_told_in_the_organizations_words_too(wedding: Any) -> None:
    team = SystemFactory(organization=wedding.organization, kind=System.Kind.SLACK)
    RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:*:*",
        event_types=[],
        target=Route.Target.PEOPLE,
        system=team,
    )
    event = published(wedding)

    route_event.route(event.id)

    assert Delivery.objects.get(event=event).state_reason == "no_template"


@pytest.mark.parametrize("name", [TYPE, "custom.*", "*"])
def test_a_route_may_name_types_of_ones_own(wedding: Any, name: str) -> None:
    system = SystemFactory(organization=wedding.organization, kind=System.Kind.WEBHOOK)
    route = RouteFactory(organization=wedding.organization, event_types=[name], system=system)

    route.full_clean()


@pytest.mark.parametrize("name", ["custom", "custom.Menu", "*.menu_chosen"])
def test_a_route_names_no_type_that_cannot_be(wedding: Any, name: str) -> None:
    route = RouteFactory(organization=wedding.organization, event_types=[name])

    with pytest.raises(ValidationError):
        route.full_clean()


def test_a_mapping_of_a_type_of_ones_own_may_read_any_field(wedding: Any) -> None:
    system = SystemFactory(organization=wedding.organization, kind=System.Kind.WEBHOOK)
    route = RouteFactory(
        organization=wedding.organization, event_types=[TYPE], system=system, mapping={"dish": "payload.menu"}
    )

    route.full_clean()


def test_a_template_of_a_type_of_ones_own_is_checked_and_shown(wedding: Any) -> None:
    made = versions.put_in_force(wedding.organization, TYPE, "", "en", TEXT, by=None)

    assert made.active
    with pytest.raises(ValidationError):
        versions.put_in_force(wedding.organization, TYPE, "", "en", "{{ payload.menu", by=None)
    with pytest.raises(ValidationError):
        versions.put_in_force(wedding.organization, "custom.Menu", "", "en", TEXT, by=None)


def test_a_dry_run_takes_a_type_of_ones_own(wedding: Any) -> None:
    system = SystemFactory(organization=wedding.organization, kind=System.Kind.WEBHOOK)
    RouteFactory(organization=wedding.organization, channel_pattern="kitchen:*:*", event_types=[], system=system)
    paste = Paste(wedding.organization, TYPE, {"menu": "veal"}, wedding, channels=["kitchen:screen:1"])

    event, names = dry_run.pasted(paste)

    assert dry_run.explain(event, names).as_json(shows_people=True, shows_events=True)["deliveries_count"] == 1
