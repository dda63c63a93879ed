"""WhatsApp and Slack as the sandbox plays them, over HTTP: what their errors lead to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from integrations import admission
from integrations.models import Alert, Delivery, System
from integrations.outbound.sending import close_idle
from integrations.routing.route_event import route
from integrations.sending import dispatch
from notifications.channels.whatsapp import pair_limit, templates
from notifications.channels.whatsapp.channel import resend_closed_windows
from notifications.models import Message, TraceEntry
from tests.factories import ContactFactory, MembershipFactory, RouteFactory, SystemFactory, UserFactory, WeddingFactory
from tests.notifications.stored import stored
from tests.sandbox.sandbox_peer import PHONE, RESEND_KEY, SLACK_PATH, TOKEN, Peer, configuration, running
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, AddressAlias, Contact, Wedding

pytestmark = pytest.mark.django_db(transaction=True)
PERSON = "+12025550101"
OUTAGE = {"kind": "power_outage", "description": "The hall is dark", "reported_by": "Tom"}
EVIL = "<script>alert(1)</script> <!channel> {{7*7777777}} \n\t & " + "x" * 10_000 + " שלום 🎉"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("phones-home")
    config = configuration()
    config["whatsapp"]["accounts"][0]["templates"] = templates.SHIPPED
    config["whatsapp"]["accounts"][0].pop("callback_url", None)
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(Path(home)) as peer:
        yield peer
    close_idle()


@pytest.fixture
def outside(shared: Peer, settings: Any) -> Peer:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared.port}"]
    shared.forget()
    return shared


@pytest.fixture
def wedding(outside: Peer) -> Wedding:
    """With WhatsApp, mail and a team on Slack at the sandbox."""
    made: Wedding = WeddingFactory()
    mine = {"organization": made.organization}
    whatsapp = {"access_token": TOKEN, "phone_number_id": PHONE}
    mail = {"api_key": RESEND_KEY, "from": "Lakeside <hello@wedsync.example>"}
    SystemFactory(**mine, kind="whatsapp", base_url=f"{outside.url}/whatsapp", credentials=whatsapp)
    SystemFactory(**mine, kind="email", base_url=f"{outside.url}/resend", credentials=mail)
    SystemFactory(**mine, kind="slack", base_url=f"{outside.url}/slack", credentials={"webhook_path": SLACK_PATH})
    MembershipFactory(**mine, user=UserFactory(email="owner@people.example"), role="owner")
    return made


def person(wedding: Wedding, phone: str = PERSON, **rest: Any) -> Contact:
    made: Contact = ContactFactory(
        organization=wedding.organization, wedding=wedding, role="couple", phone=phone, **rest
    )
    Address.objects.create(
        organization=wedding.organization, channel="whatsapp", value=phone, consented_at=timezone.now()
    )
    return made


def to_couple(wedding: Wedding, **rest: Any) -> None:
    rest.setdefault("roles", ["couple"])
    organization = wedding.organization
    RouteFactory(organization=organization, channel_pattern="couple:dashboard:{id}", target="people", **rest)


def happened(wedding: Wedding, event_type: str = "payment.failed", payload: Any = None) -> ChannelEvent:
    event = stored(wedding, event_type, payload or {"amount": 100, "currency": "EUR", "reference": "R1"})
    route(event.id)
    return event


def work(event: ChannelEvent) -> None:
    """As the workers do it, until nothing more is due."""
    for _ in range(6):
        for row in Delivery.objects.filter(event=event, state="pending").order_by("id"):
            urgent = row.priority == "urgent"
            try:
                dispatch.serve(row.id, row.system_id, urgent=urgent)
            except dispatch.TryAgain:
                continue


def on(event: ChannelEvent, channel: str) -> Delivery:
    return Delivery.objects.filter(event=event, channel=channel).latest("generation")


def test_whom_wrote_lately_gets_free_text_and_others_a_template(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding)
    work(happened(wedding))
    Address.objects.filter(channel="whatsapp").update(last_inbound_at=timezone.now() - timedelta(hours=1))
    requests.post(f"{outside.url}/_/replies", json={"service": "whatsapp", "from": PERSON, "text": "Hi"}, timeout=5)
    work(happened(wedding))

    first, second = (message["body"]["type"] for message in outside.messages("whatsapp"))
    assert (first, second) == ("template", "text")


@pytest.mark.parametrize(
    ("phone", "known_as"), [("+5511987654321", "551187654321"), ("+525512345678", "5215512345678")]
)
def test_the_form_in_which_whatsapp_knows_a_phone_is_remembered(
    wedding: Wedding, outside: Peer, phone: str, known_as: str
) -> None:
    person(wedding, phone)
    to_couple(wedding)

    work(happened(wedding))

    (message,) = outside.messages("whatsapp")
    assert message["to"] == f"+{known_as}"
    assert AddressAlias.objects.get(address__value=phone).alias == known_as


def test_131047_leads_to_the_template_at_once_and_once(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding)
    Address.objects.filter(channel="whatsapp").update(last_inbound_at=timezone.now() - timedelta(hours=1))
    event = happened(wedding)  # we believe that the window is open, and WhatsApp does not

    work(event)

    states = Delivery.objects.filter(event=event).order_by("generation").values_list("channel", "state", "state_reason")
    assert list(states) == [("whatsapp", "dead", "window_closed"), ("whatsapp", "succeeded", "")]
    (message,) = outside.messages("whatsapp")
    assert message["body"]["type"] == "template"
    assert Address.objects.get(channel="whatsapp").window_closed_at
    assert TraceEntry.objects.filter(event=event, what="fell_back").exists()
    assert resend_closed_windows() == 0


def test_a_worker_that_dies_between_131047_and_the_template_is_made_up_for(wedding: Wedding) -> None:
    person(wedding)
    to_couple(wedding)
    event = happened(wedding)
    Delivery.objects.filter(event=event).update(
        state="dead",
        state_reason="window_closed",
        finished_at=timezone.now(),
        attempt_count=1,
        request={"method": "POST", "path": "/messages", "body": '{"type": "text"}', "headers": {}},
    )

    assert resend_closed_windows() == 1
    assert resend_closed_windows() == 0
    assert on(event, "whatsapp").generation == 1


def test_131047_of_a_template_goes_to_the_next_channel_and_never_round_in_circles(
    wedding: Wedding, outside: Peer
) -> None:
    person(wedding)
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=131047)
    event = happened(wedding)

    work(event)

    assert [row.channel for row in Delivery.objects.filter(event=event).order_by("id")] == ["whatsapp", "email"]
    assert resend_closed_windows() == 0
    work(event)
    assert Delivery.objects.filter(event=event).count() == 2


def test_131026_marks_the_phone_and_goes_by_mail(wedding: Wedding, outside: Peer) -> None:
    person(wedding, phone="+19990131026")
    to_couple(wedding)
    event = happened(wedding)

    work(event)

    assert on(event, "whatsapp").state == "dead"
    assert on(event, "email").state == "succeeded"
    assert len(outside.messages("resend")) == 1
    address = Address.objects.get(channel="whatsapp")
    assert "131026" in address.bounce_reason
    later = happened(wedding)
    assert [(row.channel, row.state) for row in Delivery.objects.filter(event=later)] == [("email", "pending")]


def test_190_stops_the_channel_and_alerts_and_urgent_news_go_on_by_mail(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding, channels=["whatsapp"])
    outside.fault("whatsapp", "status", status=401, code=190)
    event = happened(wedding, "venue.emergency_reported", OUTAGE)

    work(event)

    system = System.objects.get(kind="whatsapp")
    assert (system.state, system.state_reason) == ("paused", "credentials_refused")
    assert Alert.objects.filter(cause="system_stopped", system=system).exists()
    assert on(event, "whatsapp").state == "held"
    assert on(event, "email").state == "succeeded"


def test_131056_waits_for_that_pair_only(wedding: Wedding, outside: Peer) -> None:
    person(wedding, "+12025550111")
    person(wedding, "+12025550112")
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=131056, count=1)
    event = happened(wedding)

    work(event)
    work(happened(wedding))

    assert {message["to"] for message in outside.messages("whatsapp")} == {"+12025550112"}
    waiting = Delivery.objects.filter(target="+12025550111").order_by("id")
    assert waiting[0].state_reason in {"throttled", "pair_limited"}, "the latter where it has come due again meanwhile"
    assert (waiting[1].state, waiting[1].state_reason) == ("held", "pair_limited")
    assert System.objects.get(kind="whatsapp").state == "active"


def test_a_pair_has_its_rate_and_urgent_news_a_share_of_it(wedding: Wedding) -> None:
    person(wedding)
    to_couple(wedding)
    row = on(happened(wedding), "whatsapp")
    other = Delivery(system_id=row.system_id, target="+12025550199", priority="normal")
    urgent = Delivery(system_id=row.system_id, target=row.target, priority="urgent")

    taken = sum(pair_limit.reserve(row) is None for _ in range(60))

    assert taken == 36, "of 45 a fifth is left to the urgent"
    wait = pair_limit.reserve(row)
    assert wait
    assert 0 < wait <= pair_limit.SECONDS_EACH
    assert pair_limit.reserve(other) is None
    assert pair_limit.reserve(urgent) is None


def test_131048_leaves_the_number_alone_for_an_hour(wedding: Wedding, outside: Peer) -> None:
    for number in range(4):
        person(wedding, f"+1202555012{number}")
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=131048)

    work(happened(wedding))

    held = Delivery.objects.filter(channel="whatsapp").exclude(state="scheduled")
    assert {(row.state, row.state_reason) for row in held} == {("held", "throttled")}
    assert min(row.next_attempt_at for row in held) > timezone.now() + timedelta(minutes=50)


@pytest.mark.parametrize(
    ("channel", "service", "options"),
    [
        ("whatsapp", "whatsapp", {"status": 400, "code": 130429}),
        ("whatsapp", "whatsapp", {"status": 429}),
        ("email", "resend", {"status": 429, "code": "rate_limit_exceeded"}),
        ("slack", "slack", {"status": 429}),
    ],
)
@pytest.mark.parametrize("later", ["payment.failed", "venue.emergency_reported"])
def test_nothing_that_comes_later_calls_a_provider_before_the_end_that_it_named(
    channel: str, service: str, options: dict[str, Any], later: str, wedding: Wedding, outside: Peer
) -> None:
    person(wedding, preferred_channels=[channel])
    team = {"roles": [], "system": System.objects.get(kind="slack")} if channel == "slack" else {"channels": [channel]}
    to_couple(wedding, **team)
    outside.fault(service, "status", **options, retry_after=600)
    work(happened(wedding))
    asked = outside.request_log(service)["counts"]["total"]

    event = happened(wedding, later, OUTAGE if later.startswith("venue.") else None)
    work(event)

    assert outside.request_log(service)["counts"]["total"] == asked == 1
    row = on(event, channel)
    assert (row.state, row.state_reason, row.attempt_count) == ("held", "throttled", 0)
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=580)
    if later.startswith("venue.") and channel != "slack":
        others = Delivery.objects.filter(event=event, contact__isnull=False).exclude(channel=channel)
        assert others.filter(state="succeeded").exists(), "what is urgent goes on by another channel at once"


def test_a_template_that_was_stopped_alerts_staff_and_the_message_goes_by_mail(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=132015)
    event = happened(wedding)

    work(event)

    assert on(event, "email").state == "succeeded"
    alert = Alert.objects.get(cause="template_refused")
    assert alert.about == "wedding_update_2"


def test_an_exhausted_quota_is_asked_once_also_for_what_comes_later_and_for_urgent_news(
    wedding: Wedding, outside: Peer
) -> None:
    for number in range(3):
        person(wedding, f"+1202555013{number}", preferred_channels=["email"])
    to_couple(wedding, channels=["email"])
    outside.fault("resend", "status", code="daily_quota_exceeded")

    for event in [happened(wedding), happened(wedding), happened(wedding, "venue.emergency_reported", OUTAGE)]:
        work(event)

    refused = [each for each in outside.request_log("resend")["rows"] if each["status"] == 429]
    assert len(refused) <= 2, "at most what had begun before the first answer"
    urgent = Delivery.objects.filter(event__type="venue.emergency_reported")
    assert {row.state_reason for row in urgent.filter(channel="email")} == {"throttled"}
    assert urgent.filter(channel="whatsapp", state="succeeded").count() == 3


def test_slack_404_disables_that_url_and_staff_get_a_mail(wedding: Wedding, outside: Peer) -> None:
    team = System.objects.get(kind="slack")
    other = SystemFactory(organization=wedding.organization, kind="slack", name="#other")
    to_couple(wedding, roles=[], system=team)
    outside.fault("slack", "status", code="no_service")
    event = happened(wedding)

    work(event)

    team.refresh_from_db()
    other.refresh_from_db()
    assert (team.state, other.state) == ("disabled", "active")
    mail = on(event, "email")
    assert (mail.state, mail.target) == ("succeeded", "owner@people.example")


def test_who_is_asked_gets_buttons_that_carry_a_token_and_rows_hold_none(wedding: Wedding, outside: Peer) -> None:
    person(wedding, call_order=1)
    to_couple(wedding, channels=["whatsapp"])
    to_couple(wedding, roles=[], system=System.objects.get(kind="slack"), name="team")
    event = happened(wedding, "venue.emergency_reported", OUTAGE)

    work(event)

    (phone,) = outside.messages("whatsapp")
    (slack,) = outside.messages("slack")
    whatsapp_row, slack_row = on(event, "whatsapp"), on(event, "slack")
    from notifications import links

    payload = phone["body"]["template"]["components"][1]["parameters"][0]["payload"]
    button = next(block for block in slack["body"]["blocks"] if block["type"] == "actions")["elements"][0]
    assert links.read_acknowledge_token(payload) == whatsapp_row.id
    assert links.read_acknowledge_token(button["value"]) == slack_row.id
    assert slack["body"]["text"].startswith("<!channel> ")
    assert (slack["body"]["unfurl_links"], slack["body"]["unfurl_media"]) == (False, False)
    for row, token in ((whatsapp_row, payload), (slack_row, button["value"])):
        assert token not in json.dumps(row.request)


@pytest.mark.parametrize("length", [300, 800, 10_000])
def test_a_number_to_call_stays_whole_however_long_the_report_is(wedding: Wedding, outside: Peer, length: int) -> None:
    person(wedding)
    to_couple(wedding, channels=["whatsapp"])
    report = {**OUTAGE, "description": "dark " * (length // 5), "contact_phone": "+12025550104"}

    work(happened(wedding, "venue.emergency_reported", report))
    Address.objects.filter(channel="whatsapp").update(last_inbound_at=timezone.now() - timedelta(hours=1))
    requests.post(f"{outside.url}/_/replies", json={"service": "whatsapp", "from": PERSON, "text": "Hi"}, timeout=5)
    work(happened(wedding, "venue.capacity_updated", {"capacity": 9, "reason": "x" * length, "previous": 8}))

    template, text = outside.messages("whatsapp")
    assert "Call: +12025550104" in template["text"]
    assert "Wedding: Anna & Ben" in template["text"]
    assert len(template["text"]) <= 1024
    assert text["body"]["type"] == "text"
    assert "Capacity: 150 → 9" in text["text"]
    assert len(text["text"]) <= 4096


def test_hostile_words_arrive_harmless_and_legible(wedding: Wedding, outside: Peer) -> None:
    person(wedding, name="Anna Gruber")
    to_couple(wedding, channels=["whatsapp"])
    to_couple(wedding, roles=[], system=System.objects.get(kind="slack"), name="team")
    payload = {"capacity": 180, "previous": 150, "reason": EVIL}

    work(happened(wedding, "venue.capacity_updated", payload))

    (phone,) = outside.messages("whatsapp")
    (slack,) = outside.messages("slack")
    assert "{{7*7777777}}" in phone["text"] or "7*7777777" in phone["text"]
    assert "54444439" not in phone["text"]
    assert len(phone["text"]) <= 1024
    said = json.dumps(slack["body"], ensure_ascii=False)
    assert "<!channel>" not in said
    assert "<script>" not in said
    assert "180" in said
    assert Message.objects.filter(status__in=["sent", "queued"]).count() == 2


def test_the_providers_rates_count_where_a_system_has_none_of_its_own() -> None:
    lanes = {kind: admission.lane_of(SystemFactory(kind=kind)) for kind in ("whatsapp", "slack", "email", "shootq")}

    assert [(lane.rate, lane.burst) for lane in lanes.values()] == [(80, 80), (1, 5), (5, 10), (None, 2)]
    assert admission.lane_of(SystemFactory(kind="email", rate_per_second=2)).burst == 2
