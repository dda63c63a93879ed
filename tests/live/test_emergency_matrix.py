"""An emergency from each vendor in twenty broken ways: somebody is told within 30 s, or staff are alerted and tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from integrations.models import Alert, Attempt, Delivery
from integrations.states import State
from integrations.vendors import VENDORS
from notifications.incidents import acknowledging
from notifications.models import Incident
from tests.docs.tables import compare
from tests.live.broken_ways import CHANNELS_DOWN, REDIS_AWAY, WAYS, Sent, Way, make_sent, trip_breakers
from tests.live.product import Product
from tests.polling import until
from wedsync.weddings.models import ContactChannel

TOLD_WITHIN, PATIENCE = 30.0, 100.0
SERVICES = ("whatsapp", "slack", "resend")
_found: dict[tuple[str, str], str] = {}


@pytest.fixture(autouse=True)
def calm(product: Product) -> Iterator[None]:
    """Afterwards nothing is broken, and somebody takes care of everything: nobody is called about it any more."""
    yield
    product.heal()
    for incident in Incident.objects.filter(state=Incident.State.OPEN):
        acknowledging.acknowledge_incident(incident, by="the test", via="the test")


def told(sent: Sent) -> bool:
    """Whether a channel has taken a message of the emergency, for anybody of the organization."""
    rows = Delivery.objects.filter(organization=sent.world.organization, event__priority="urgent")
    return rows.filter(channel__in=ContactChannel.values, state=State.SUCCEEDED).exists()


def outcome(sent: Sent) -> str:
    """What became of it, as the table says it."""
    incidents = list(Incident.objects.filter(organization=sent.world.organization))
    asked = [incident for incident in incidents if incident.event.type == "incident.wedding_unknown"]
    alarmed = [incident for incident in incidents if incident.wedding_id]
    if any(incident.event.payload.get("wedding_assumed") for incident in alarmed):
        return "staff are asked, then the wedding is assumed" if asked else "the wedding is assumed, staff hear of it"
    if asked:
        trouble = asked[0].event.payload["trouble"]
        return {"refused": "refused, staff are told", "held": "held, staff are told"}.get(trouble, "staff are asked")
    return "the wedding's people are told" if alarmed and reaches_its_people(sent) else "staff are told"


def reaches_its_people(sent: Sent) -> bool:
    """Whether anybody of the wedding, or its coordinators' Slack, is told."""
    of_emergency = Delivery.objects.filter(organization=sent.world.organization, event__type="venue.emergency_reported")
    ordinary = of_emergency.filter(plan_step=0).exclude(state__in=[State.SKIPPED, State.DEAD])
    return ordinary.filter(channel__in=ContactChannel.values).exists()


def play(product: Product, way: Way) -> list[Sent]:
    """Every vendor sends it."""
    sent = [make_sent(product, slug) for slug in VENDORS]
    for each in sent:
        way.break_it(each)
    return sent


def note(way: Way, sent: list[Sent]) -> None:
    for each in sent:
        _found[way.name, each.sender.vendor.slug] = outcome(each)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_somebody_is_told(product: Product, way: Way) -> None:
    sent = play(product, way)

    for each in sent:
        until(lambda each=each: told(each), TOLD_WITHIN, what=f"{each.sender.vendor.slug} telling somebody")

    if way.name == "a booking that is not known":
        mine = [each.world.organization for each in sent]
        alarmed = Incident.objects.filter(organization__in=mine, wedding__isnull=False)
        until(lambda: alarmed.count() == len(sent), TOLD_WITHIN, what="the only wedding being alarmed")
    note(way, sent)


def test_somebody_is_told_when_breakers_are_open_and_redis_is_away(product: Product) -> None:
    sent = [make_sent(product, slug) for slug in VENDORS]
    for each in sent:
        trip_breakers(each)
    redis.Redis.from_url(settings.REDIS_URL).execute_command("CLIENT", "PAUSE", 6000, "ALL")

    for each in sent:
        REDIS_AWAY.break_it(each)

    for each in sent:
        until(lambda each=each: told(each), TOLD_WITHIN, what=f"{each.sender.vendor.slug} telling somebody")
    note(REDIS_AWAY, sent)


def tries(sent: Sent) -> dict[str, int]:
    """How many calls of staff were tried on each of their channels."""
    targets = [*sent.staff, str(sent.world.systems["slack"].id)]
    rows = Attempt.objects.filter(
        delivery__organization=sent.world.organization, delivery__target__in=targets, delivery__plan_step__gte=1000
    )
    steps = set(rows.values_list("delivery__target", "delivery__plan_step"))
    return {target: sum(1 for found, _ in steps if found == target) for target in targets}


def test_with_every_channel_down_staff_are_alerted_and_tried_again_until_one_takes_it(product: Product) -> None:
    for service in SERVICES:
        product.fault(service, "status", status=503)

    sent = play(product, CHANNELS_DOWN)

    for each in sent:
        mine = {"organization": each.world.organization, "cause": "nobody_reached"}
        until(lambda mine=mine: Alert.objects.filter(**mine, resolved_at=None).exists(), TOLD_WITHIN, what="an alert")
        until(lambda each=each: min(tries(each).values()) >= 1, PATIENCE, what="a try on every channel of staff")
    for each in sent:
        until(lambda each=each: min(tries(each).values()) >= 2, PATIENCE, what="a second try on every channel")
    assert not any(told(each) for each in sent)
    for each in sent:
        _found[CHANNELS_DOWN.name, each.sender.vendor.slug] = "an alert, staff are tried again and again"

    product.end_faults()

    for each in sent:
        until(lambda each=each: told(each), PATIENCE, what="a channel that works again")


def test_the_table_in_the_documentation_says_what_was_found() -> None:
    names = [*(way.name for way in WAYS), REDIS_AWAY.name, CHANNELS_DOWN.name]
    if len(_found) < len(names) * len(VENDORS):
        pytest.skip("only a part was played")
    labels = [VENDORS[slug].label for slug in VENDORS]
    rows = [(name, *(_found[name, slug] for slug in VENDORS)) for name in names]

    compare("staff/emergency-matrix.md", "emergency-matrix", ("the emergency", *labels), rows)
