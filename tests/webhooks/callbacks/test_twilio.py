"""Twilio's callbacks: signed over the public URL, read as forms, and what they change."""

from __future__ import annotations

from hashlib import sha512
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone
from twilio.request_validator import RequestValidator

from integrations.models import Connection
from notifications.models import TraceEntry
from tests.factories import ConnectionFactory
from tests.webhooks.callbacks.asgi_server import Answer, Server
from tests.webhooks.callbacks.bodies import twilio_status, twilio_text
from tests.webhooks.callbacks.noticed import PHONE, a_message, address, door_of, now_of, row, told
from webhooks.callbacks.applying import apply_one, apply_waiting
from webhooks.callbacks.receiver import PREFIX
from webhooks.callbacks.twilio import TWILIO, Twilio
from webhooks.doors import Doors
from webhooks.models import OUR_ID, ProviderNotice, Receipt
from wedsync.queues import Priority
from wedsync.weddings.models import Address

TOKEN = "0123456789abcdef0123456789abcdef"
INCOMPRESSIBLE = "".join(sha512(bytes([number])).hexdigest() for number in range(50))
"""Longer than an entry of an index may be."""
PUBLIC = "https://hub.lakeside.example"


@pytest.fixture
def server(doors: Doors, settings: Any) -> Server:
    """Behind a proxy: what arrives says http and another host, what was called is the public URL."""
    settings.PUBLIC_URL = PUBLIC
    return Server(doors)


def sign(url: str, body: bytes, token: str = TOKEN) -> dict[str, str]:
    """As Twilio's own library does it."""
    fields = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    return {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, fields)}


def door() -> Connection:
    made: Connection = ConnectionFactory(system__kind="sms", secret=TOKEN)
    return made


def ask(server: Server, path: str, body: bytes, signed_url: str | None = None, token: str = TOKEN) -> Answer:
    return server.ask("POST", path, sign(f"{PUBLIC}{path}" if signed_url is None else signed_url, body, token), body)


def path_of(connection: Connection, query: str = "") -> str:
    return f"{PREFIX}/twilio/{connection.id}{query}"


@pytest.mark.django_db(transaction=True)
class TestAtTheDoor:
    """Through the receiver."""

    @pytest.mark.parametrize("query", ["", "?key=d-1", "?key=d-1&more=%C3%A9+x"])
    def test_what_twilio_signed_over_the_public_url_is_stored_once_and_answered_with_no_order(
        self, server: Server, query: str
    ) -> None:
        connection = door()
        body = twilio_status(Body="Grüße & 100 %")

        first, again = (ask(server, path_of(connection, query), body) for _ in range(2))

        assert (first.status, again.status) == (200, 200)
        assert first.body == again.body == b"<Response/>"
        assert first.headers["content-type"].startswith("text/xml")
        notice = ProviderNotice.objects.get(connection=connection)
        assert (notice.kind, notice.name, notice.provider_id) == ("status", "delivered", "SM1")
        assert notice.data.get("biz_opaque_callback_data") == ("d-1" if query else None)

    @pytest.mark.parametrize("public", ["https://hub.lakeside.example:8443", "http://hub.lakeside.example:80"])
    def test_a_port_counts_whether_it_is_signed_or_not(self, server: Server, settings: Any, public: str) -> None:
        settings.PUBLIC_URL = public
        connection, body = door(), twilio_status()
        path = path_of(connection)
        without = public.rpartition(":")[0]

        assert [ask(server, path, body, f"{origin}{path}").status for origin in (public, without)] == [200, 200]

    def test_what_was_signed_over_the_address_behind_the_proxy_is_refused(self, server: Server) -> None:
        connection, body = door(), twilio_status()
        path = path_of(connection)

        for wrong in (f"http://127.0.0.1:8000{path}", f"http://hub.lakeside.example{path}", f"{PUBLIC}{path}?key=d-1"):
            assert ask(server, path, body, wrong).slug == "signature-mismatch"
        assert not ProviderNotice.objects.exists()

    def test_another_key_in_the_url_does_not_fit_the_signature(self, server: Server) -> None:
        connection, body = door(), twilio_status()
        signed = f"{PUBLIC}{path_of(connection, '?key=mine')}"

        assert ask(server, path_of(connection, "?key=another"), body, signed).status == 401

    def test_forged_and_unsigned_requests_are_401(self, server: Server) -> None:
        connection, body = door(), twilio_status()
        path = path_of(connection)

        assert ask(server, path, body, token="another").slug == "signature-mismatch"
        assert server.ask("POST", path, {}, body).slug == "signature-missing"
        assert server.ask("POST", path, {"X-Twilio-Signature": "?"}, body).slug == "signature-malformed"
        changed = sign(f"{PUBLIC}{path}", body)
        assert server.ask("POST", path, changed, body + b"&ErrorCode=30003").slug == "signature-mismatch"
        assert set(Receipt.objects.values_list("verdict", flat=True)) == {"rejected"}

    def test_a_form_that_names_no_message_is_kept_and_answered_200(self, server: Server) -> None:
        connection = door()

        assert ask(server, path_of(connection), b"a=1").status == 200
        assert Receipt.objects.get(connection=connection).slug == "unreadable"

    @pytest.mark.parametrize("key", ["%00", "a%00b", "%ED%A0%BC", "%FF", "%5B", "", INCOMPRESSIBLE])
    def test_a_key_that_cannot_be_stored_neither_fails_nor_hides_the_status(self, server: Server, key: str) -> None:
        connection = door()

        assert ask(server, path_of(connection, f"?key={key}"), twilio_status()).status == 200

        assert ProviderNotice.objects.get(connection=connection).name == "delivered"

    @pytest.mark.parametrize("name", ["biz_opaque_callback_data", "MessageSid", "MessageStatus", "ErrorCode", "Other"])
    def test_no_field_is_too_long_or_too_odd_to_be_stored(self, server: Server, name: str) -> None:
        connection = door()
        odd = "\x00" + INCOMPRESSIBLE

        answer = ask(server, path_of(connection, "?key=1"), twilio_status(**{name: odd}))

        assert answer.status == 200
        assert ProviderNotice.objects.get(connection=connection).data[OUR_ID] == "1"

    def test_a_body_over_64_kib_is_413(self, server: Server) -> None:
        path = path_of(door())

        assert server.ask("POST", path, {}, b"a" * (Twilio.largest + 1)).status == 413


def test_our_signature_is_the_one_that_twilios_library_makes() -> None:
    url = f"{PUBLIC}/x?key=1"
    body = twilio_status(Body="Zoë & Ben", Empty="")

    assert TWILIO.sign(body, TOKEN, 0.0, url) == sign(url, body)


pytestmark = pytest.mark.django_db


def taken(connection: Connection, body: bytes, url: str = "") -> ProviderNotice:
    (notice,) = told(connection, body, url)
    for queue in (Priority.HIGH, Priority.URGENT):
        apply_waiting(connection.id, queue)
    return row(notice)


@pytest.mark.parametrize(
    ("name", "code", "status", "mark"),
    [
        ("queued", "", "queued", ""),
        ("sending", "", "queued", ""),
        ("sent", "", "sent", ""),
        ("delivered", "", "delivered", ""),
        ("undelivered", "30003", "failed", ""),
        ("undelivered", "30004", "failed", ""),
        ("undelivered", "30005", "failed", "bounced_at"),
        ("undelivered", "30006", "failed", ""),
        ("undelivered", "30007", "failed", ""),
        ("failed", "21614", "failed", "bounced_at"),
        ("failed", "21610", "failed", "opted_out_at"),
        ("failed", "", "failed", ""),
    ],
)
def test_each_status_moves_its_message_and_marks_its_address(name: str, code: str, status: str, mark: str) -> None:
    connection = door_of("sms")
    message = a_message(connection, "SM1")

    taken(connection, twilio_status(name, **({"ErrorCode": code} if code else {})))

    message = now_of(message)
    assert message.status == status
    assert code in message.failure
    found = {name for name in ("bounced_at", "opted_out_at") if mark and getattr(address(message), name)}
    assert found == ({mark} if mark else set())
    connection.system.refresh_from_db()
    assert connection.system.state == "active"


def test_a_code_of_more_digits_than_a_number_may_have_still_fails_its_message() -> None:
    connection = door_of("sms")
    message = a_message(connection, "SM1")

    assert taken(connection, twilio_status("failed", ErrorCode="9" * 5000)).taken_error == ""

    assert now_of(message).status == "failed"


def test_statuses_that_come_late_twice_and_out_of_order_say_the_same() -> None:
    connection = door_of("sms")
    message = a_message(connection, "SM1")

    for name in ("delivered", "sent", "queued", "delivered", "undelivered"):
        taken(connection, twilio_status(name))

    assert now_of(message).status == "delivered"


def test_a_status_finds_its_message_by_our_key_before_twilios_id_is_known() -> None:
    connection = door_of("sms")
    message = a_message(connection, "")

    taken(connection, twilio_status("sent", "SM9"), f"{PUBLIC}/x?key={message.delivery_id}")

    message = now_of(message)
    assert (message.status, message.provider_id) == ("sent", "SM9")


def test_a_status_of_another_organizations_message_waits_and_changes_nothing() -> None:
    theirs = a_message(door_of("sms"), "SM1")
    (notice,) = told(door_of("sms"), twilio_status("failed", ErrorCode="21610"))

    apply_one(notice.id)

    assert row(notice).taken_at is None
    assert now_of(theirs).status == "queued"


@pytest.mark.parametrize(
    ("text", "fields", "stopped"),
    [
        ("STOP", {"OptOutType": "STOP"}, True),
        ("Basta", {"OptOutType": "STOP"}, True),
        ("CANCEL", {}, True),
        ("Abmelden", {}, True),
        ("Please stop all this", {}, False),
        ("STOP", {"OptOutType": "HELP"}, True),
        ("HELP", {"OptOutType": "HELP"}, False),
    ],
)
def test_stop_opts_out_of_text_messages_alone(text: str, fields: dict[str, str], stopped: bool) -> None:
    connection = door_of("sms")
    message = a_message(connection, "SM1")
    other = Address.objects.create(
        organization=connection.organization, channel="whatsapp", value=PHONE, consented_at=timezone.now()
    )

    taken(connection, twilio_text(text, **fields))

    assert bool(address(message).opted_out_at) is stopped
    other.refresh_from_db()
    assert other.opted_out_at is None


@pytest.mark.parametrize("fields", [{"OptOutType": "START"}, {}])
def test_start_ends_it_and_is_a_consent(fields: dict[str, str]) -> None:
    connection = door_of("sms")
    message = a_message(connection, "SM1")
    taken(connection, twilio_text("STOP", "SMa"))
    assert address(message).opted_out_at

    taken(connection, twilio_text("UNSTOP", "SMb", **fields))

    found = address(message)
    assert found.opted_out_at is None
    assert found.consented_at
    assert found.consent_source.startswith("wrote START on SMS")


def test_what_a_person_writes_stands_in_the_trace_of_the_last_message_that_they_got() -> None:
    connection = door_of("sms")
    a_message(connection, "SM1")
    last = a_message(connection, "SM2")

    taken(connection, twilio_text("On my way\nin 5 minutes"))

    entry = TraceEntry.objects.get(what="replied")
    assert entry.delivery_id == last.delivery_id
    assert entry.text == "SMS: they wrote “On my way in 5 minutes”."


def test_a_text_without_a_sender_changes_nothing() -> None:
    connection = door_of("sms")

    assert taken(connection, twilio_text("Hello", From="SomeShop")).taken_at
    assert not Address.objects.exists()
