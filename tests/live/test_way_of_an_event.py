"""From a signed webhook to the messages at the providers, through real processes."""

import json
from datetime import timedelta

import requests

from integrations.models import Delivery
from integrations.states import State
from tests.live.world import World, signed
from tests.polling import until
from webhooks.models import Receipt
from wedsync.live.models import ChannelEvent


def test_a_capacity_webhook_reaches_the_couple_by_whatsapp_and_the_caterers_on_slack(world: World) -> None:
    answer = world.capacity(180)

    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    couple = world.people["couple"]
    (message,) = until(lambda: world.product.messages("whatsapp", couple.phone))
    assert "150 → 180" in message["text"]
    until(lambda: world.product.messages("slack", world.slack_channel))
    world.wedding.refresh_from_db()
    assert world.wedding.capacity == 180
    event = ChannelEvent.objects.get(id=answer.json()["id"])
    assert (event.effect, event.wedding_id) == ("applied", world.wedding.id)
    assert Receipt.objects.get(id=event.id).verdict == "accepted"


def test_the_same_event_twice_is_one_event_and_one_message(world: World) -> None:
    envelope = world.envelope("capacity.updated", {"max_capacity": 175})

    first, second = world.post(envelope), world.post(envelope)

    assert (first.status_code, second.status_code) == (202, 200)
    assert second.json() == {"id": first.json()["id"], "status": "duplicate"}
    phone = world.people["couple"].phone
    until(lambda: world.product.messages("whatsapp", phone))
    until(lambda: not _open_deliveries(world))
    assert len(world.product.messages("whatsapp", phone)) == 1
    assert world.events().count() == 1


def test_a_known_id_with_another_body_is_refused_and_its_receipt_kept(world: World) -> None:
    envelope = world.envelope("capacity.updated", {"max_capacity": 175})
    world.post(envelope)

    answer = world.post({**envelope, "payload": {**envelope["payload"], "max_capacity": 999}})

    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/event-id-reused")
    assert Receipt.objects.filter(organization=world.organization, verdict="reused_id").count() == 1


def test_forged_requests_are_answered_401_and_leave_no_event(world: World) -> None:
    body = json.dumps(world.envelope("capacity.updated", {"max_capacity": 175})).encode()
    stale = signed(body, at=0)
    attempts = {
        "signature-missing": {"Content-Type": "application/json"},
        "signature-malformed": {**stale, "X-Venue-Signature": "v1=abc"},
        "signature-mismatch": signed(body, secret="another secret"),
        "timestamp-outside-window": stale,
    }

    for slug, headers in attempts.items():
        answer = requests.post(world.url, data=body, headers=headers, timeout=5)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == f"/problems/{slug}"
    assert not world.events().exists()


def test_an_emergency_is_urgent_and_goes_to_everyone_on_every_channel(world: World) -> None:
    answer = world.emergency()

    for contact in world.people.values():
        until(lambda contact=contact: world.product.messages("whatsapp", contact.phone))
        (mail,) = until(lambda contact=contact: world.product.messages("resend", contact.email))
        assert "+12025550104" in mail["html"]
    (post,) = until(lambda: world.product.messages("slack", world.slack_channel))
    assert "<!channel>" in json.dumps(post["body"])
    priorities = Delivery.objects.filter(event_id=answer.json()["id"]).values_list("priority", flat=True)
    assert set(priorities) == {"urgent"}


def test_a_moved_ceremony_reaches_the_crm_in_its_own_words_and_the_photographer(world: World) -> None:
    answer = world.patch(ceremony_time="16:00")

    assert answer.status_code == 200
    assert answer.json()["ceremony_time"] == "16:00"
    (message,) = until(lambda: world.product.messages("whatsapp", world.people["photographer"].phone))
    assert "15:00 → 16:00" in message["text"]
    assert world.wedding.venue_name in message["text"]
    calls = until(lambda: _of_booking(world, "studio_cloud"))
    assert calls[0]["body"]["changes"] == [{"item": "ceremony_time", "from": "15:00", "to": "16:00"}]
    assert calls[0]["body"]["sequence"] == 1


def test_a_form_moves_the_date_and_everyone_concerned_is_told(world: World) -> None:
    day = world.wedding.date + timedelta(days=7)
    url = f"{world.product.base_url}/api/forms/{world.form.id}/responses/"

    answer = requests.post(url, json={"answers": {"new_date": day.isoformat()}}, headers=world.headers, timeout=10)

    assert answer.status_code == 201
    until(lambda: world.product.messages("resend", world.people["couple"].email))
    until(lambda: world.product.messages("whatsapp", world.people["photographer"].phone))
    until(lambda: len(world.product.messages("slack", world.slack_channel)) == 2)
    calls = until(lambda: _of_booking(world, "studio_cloud"))
    assert calls[0]["body"]["changes"][0]["to"] == day.isoformat()
    world.wedding.refresh_from_db()
    assert world.wedding.date == day


def test_more_guests_than_places_is_an_event_of_its_own(world: World) -> None:
    world.patch(guest_count=200)

    (message,) = until(lambda: world.product.messages("whatsapp", world.people["couple"].phone))
    assert "Over capacity by: 50" in message["text"]
    (call,) = until(lambda: _of_booking(world, "venue_master"))
    assert call["body"]["guest_count"] == 200


def test_an_equal_value_is_stored_and_told_to_nobody(world: World) -> None:
    answer = world.capacity(150)

    event = until(lambda: ChannelEvent.objects.filter(id=answer.json()["id"], routing="routed").first())
    assert event.effect == "unchanged"
    assert not event.deliveries.exists()


def _of_booking(world: World, service: str) -> list[dict]:  # type: ignore[type-arg]
    return [
        message
        for message in world.product.messages(service)
        if message["body"].get("booking_id") == world.booking or world.booking in str(message["to"])
    ]


def _open_deliveries(world: World) -> bool:
    finished = [State.SUCCEEDED, State.DEAD, State.SKIPPED, State.CANCELLED]
    return Delivery.objects.filter(organization=world.organization).exclude(state__in=finished).exists()
