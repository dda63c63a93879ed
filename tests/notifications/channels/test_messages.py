"""Every event type on every channel: legible, within the channel's limits, and harmless whatever a vendor wrote."""

import json
from typing import Any

import pytest

from integrations.errors import (
    CredentialsRefused,
    OurFault,
    Permanent,
    ServerError,
    TargetGone,
    TemplateRefused,
    Throttled,
)
from integrations.models import Delivery
from integrations.outbound import Response
from integrations.vendors import VENDORS
from notifications import wording
from notifications.channels import slack
from notifications.channels.registry import CHANNELS
from sandbox.services.twilio.segments import segments_of
from tests.factories import ContactFactory, DeliveryFactory, EventFactory, SystemFactory, WeddingFactory
from wedsync.live.event_types.catalogue import CATALOGUE

pytestmark = pytest.mark.django_db

EXAMPLES: dict[str, dict[str, Any]] = {
    "timeline.updated": {"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]},
    "guest_count.changed": {"guest_count": 120, "previous": 110},
    "booking.created": {"booking_id": "B1", "status": "new"},
    "booking.updated": {"booking_id": "B1", "status": "open", "notes": "Rain plan"},
    "booking.confirmed": {"booking_id": "B1", "status": "confirmed", "date": "2027-06-19"},
    "booking.cancelled": {"booking_id": "B1", "status": "cancelled"},
    "gallery.ready": {"gallery_url": "https://studio.example/g/1", "photo_count": 812},
    "gallery.delivered": {"gallery_url": "https://studio.example/g/1"},
    "payment.received": {"amount": "120.50", "currency": "EUR", "reference": "R-7"},
    "payment.failed": {"amount": "120.50", "currency": "EUR", "reference": "R-7"},
    "client.updated": {"client_id": "C1", "name": "Anna"},
    "venue.capacity_updated": {"capacity": 180, "previous": 150, "reason": "New tables"},
    "venue.capacity_exceeded": {"capacity": 100, "guest_count": 120},
    "venue.setup_scheduled": {"starts_at": "2027-06-19T08:00:00+02:00", "requirements": "12 tables"},
    "venue.catering_updated": {"requirements": "3 vegan menus"},
    "venue.space_assigned": {"space": "Terrace"},
    "venue.emergency_reported": {"kind": "power_outage", "description": "No light", "reported_by": "Tom"},
    "wedding.date_changed": {"date": "2027-06-26", "previous": "2027-06-19"},
    "form.submitted": {"form_id": "0198", "answers": {"menu": "vegan"}},
    "journey.milestone_reached": {"milestone": "Venue booked", "progress": 40},
    "incident.acknowledged": {"incident_id": "0198", "by": "Tom", "via": "WhatsApp"},
    "incident.resolved": {"incident_id": "0198", "kind": "fire", "description": "Smoke", "resolved_by": "Ines"},
    "incident.wedding_unknown": {
        "incident_id": "0198",
        "trouble": "booking_unknown",
        "kind": "fire",
        "description": "Smoke",
        "reported_by": "Ines",
        "booking_id": "B-1",
        "sender": "Venue",
        "suggestion": "Anna & Ben (today, Seehof)",
    },
    "ops.self_test": {"day": "2027-06-19"},
    "ops.reach_checked": {"wedding": "Anna & Ben · 2027-06-19", "reached": ["Clara: Email"], "gaps": ["Nobody."]},
    "personal_link.requested": {"contact_id": "0198"},
    "incident.drill_started": {"incident_id": "0198", "kind": "fire", "description": "Smoke", "started_by": "Ines"},
    "ops.alert_raised": {"alert_id": "0198", "cause": "system_critical", "text": "Calls fail", "system": "Studio"},
    "ops.alert_resolved": {"alert_id": "0198", "cause": "sweep_silent", "text": "No sign of the sweep for 31 s."},
    "system.health_changed": {
        "system_id": "0198",
        "system": "Studio",
        "status": "critical",
        "previous": "healthy",
        "score": 40,
        "why": ["The breaker is open.", "Calls: 3 of 20 succeeded."],
    },
}
EVIL = "<script>alert(1)</script> <!channel> {{7*7}} \n\t & " + "x" * 10_000 + " שלום 🎉"


def delivery(event_type: str, payload: dict[str, Any], channel: str, **rest: Any) -> Delivery:
    wedding = WeddingFactory()
    event = EventFactory(organization=wedding.organization, wedding=wedding, type=event_type, payload=payload)
    contact = None if channel == "slack" else ContactFactory(organization=wedding.organization, wedding=wedding)
    system = SystemFactory(
        organization=wedding.organization,
        kind=channel,
        credentials={
            "from": "WedSync <a@wedsync.example>",
            "api_key": "re",
            "webhook_path": "T/B/x",
            "access_token": "t",
            "phone_number_id": "1",
        },
    )
    made = DeliveryFactory(
        organization=wedding.organization,
        event=event,
        system=system,
        contact=contact,
        channel=channel,
        target="+12025550101" if channel in {"whatsapp", "sms"} else "anna@people.example",
        **rest,
    )
    return Delivery.objects.select_related("system", "event__wedding", "contact").get(id=made.id)


def test_there_is_an_example_of_every_event_type() -> None:
    assert set(EXAMPLES) == set(CATALOGUE)


@pytest.mark.parametrize("event_type", CATALOGUE)
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_event_type_can_be_told_on_every_channel(event_type: str, channel: str) -> None:
    row = delivery(event_type, EXAMPLES[event_type], channel)

    request = CHANNELS[channel].render(row)

    row.refresh_from_db()
    assert row.message.subject
    assert "None" not in row.message.text
    check_limits(channel, json.loads(request.body))
    assert CHANNELS[channel].render(row).body == request.body


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("change", [{"before": None, "after": "16:00"}, {"after": None}, {"after": 16}])
def test_a_timeline_is_told_also_where_a_value_is_missing(channel: str, change: dict[str, Any]) -> None:
    payload = VENDORS["studio_cloud"].canonical("timeline.updated", {"changes": [{"field": "first_dance", **change}]})
    row = delivery("timeline.updated", payload, channel)

    check_limits(channel, json.loads(CHANNELS[channel].render(row).body))


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("priority", ["high", "urgent"])
def test_what_a_vendor_wrote_is_harmless_and_fits(channel: str, priority: str) -> None:
    payload = {"kind": EVIL[:150], "description": EVIL, "reported_by": EVIL[:100]}
    row = delivery("venue.emergency_reported", payload, channel, priority=priority)

    body = json.loads(CHANNELS[channel].render(row).body)

    check_limits(channel, body)
    sent = json.dumps(body, ensure_ascii=False)
    assert "{{7*7}}" in sent, "vendor text is never evaluated"
    if channel == "email":
        assert "<script>" not in body["html"]
    if channel == "slack":
        mentions = sent.count("<!channel>")
        assert mentions == (2 if priority == "urgent" else 0), "only our own mention"


def check_limits(channel: str, body: dict[str, Any]) -> None:
    """The providers' published limits."""
    if channel == "whatsapp":
        (component,) = body["template"]["components"]
        for parameter in component["parameters"]:
            assert parameter["text"]
            assert len(parameter["text"]) <= 1024
            assert not set("\n\t") & set(parameter["text"])
            assert "    " not in parameter["text"]
    elif channel == "sms":
        assert segments_of(body["Body"]) <= 3
    elif channel == "web_push":
        assert len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) <= 3072
        assert body["notification"]["title"]
        assert body["notification"]["navigate"].startswith("http")
    elif channel == "slack":
        assert len(body["blocks"]) <= 50
        for block in body["blocks"]:
            if block["type"] == "header":
                assert len(block["text"]["text"]) <= 150
            for field in block.get("fields", []):
                assert len(field["text"]) <= 2000
    else:
        assert len(body["to"]) == 1
        assert "\n" not in body["subject"]
        assert body["html"].startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (190, 401, CredentialsRefused),
        (130429, 400, Throttled),
        (131056, 400, Throttled),
        (131026, 400, Permanent),
        (131047, 400, Permanent),
        (131000, 500, ServerError),
        (132000, 400, TemplateRefused),
        (131009, 400, OurFault),
        (132001, 404, TemplateRefused),
        (132016, 400, TemplateRefused),
    ],
)
def test_whatsapp_is_classified_by_its_code_and_not_by_the_status(code: int, status: int, error: type) -> None:
    body = json.dumps({"error": {"code": code, "message": "x"}}).encode()
    with pytest.raises(error):
        CHANNELS["whatsapp"].judge(Response(status, {}, body))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"error":null}', b'{"error":{"code":"x"}}', b"<html>"])
def test_an_answer_of_whatsapp_that_can_not_be_read_is_classified_by_its_status(body: bytes) -> None:
    assert CHANNELS["whatsapp"].classify(Response(500, {}, body)) is None
    with pytest.raises(ServerError):
        CHANNELS["whatsapp"].judge(Response(500, {}, body))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"no_service", TargetGone),
        (410, b"channel_is_archived", TargetGone),
        (403, b"invalid_token", CredentialsRefused),
        (400, b"invalid_blocks", Permanent),
        (429, b"", Throttled),
        (500, b"rollup_error", ServerError),
    ],
)
def test_slack_is_classified_by_its_words(status: int, body: bytes, error: type) -> None:
    with pytest.raises(error):
        CHANNELS["slack"].judge(Response(status, {}, body))


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [
        (401, "missing_api_key", CredentialsRefused),
        (403, "invalid_api_key", CredentialsRefused),
        (403, "validation_error", Permanent),
        (409, "invalid_idempotent_request", Permanent),
        (409, "concurrent_idempotent_requests", Throttled),
        (422, "validation_error", Permanent),
        (429, "rate_limit_exceeded", Throttled),
        (500, "internal_server_error", ServerError),
    ],
)
def test_resend_is_classified_by_its_names(status: int, name: str, error: type) -> None:
    with pytest.raises(error):
        CHANNELS["email"].judge(Response(status, {}, json.dumps({"name": name}).encode()))


def test_an_exhausted_quota_is_not_hammered() -> None:
    error = CHANNELS["email"].classify(Response(429, {"retry-after": "1"}, b'{"name":"daily_quota_exceeded"}'))

    assert isinstance(error, Throttled)
    assert error.retry_after == 3600


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "action_prohibited", CredentialsRefused),
        (403, "posting_to_general_channel_denied", CredentialsRefused),
        (403, "restricted_action", CredentialsRefused),
        (403, "invalid_token", CredentialsRefused),
        (403, "", CredentialsRefused),
        (403, "channel_is_archived", TargetGone),
        (403, "team_disabled", TargetGone),
        (404, "no_service", TargetGone),
        (404, "channel_not_found", TargetGone),
        (410, "channel_is_archived", TargetGone),
    ],
)
def test_slack_pauses_where_something_is_forbidden_and_ends_where_something_is_gone(
    status: int, code: str, error: type
) -> None:
    with pytest.raises(error, match=code or str(status)):
        CHANNELS["slack"].judge(Response(status, {}, code.encode()))


def test_a_long_slack_field_fits_after_escaping() -> None:
    field = slack._field(wording.Fact("&" * 40, "<" * 3000), 2000)

    assert len(field) <= 2000
    assert field.endswith("…")


def test_slack_text_can_make_no_link_and_no_mention() -> None:
    assert slack.escape("<!here> & <http://x|y>") == "&lt;!here&gt; &amp; &lt;http://x|y&gt;"
