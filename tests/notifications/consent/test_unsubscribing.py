"""Having fewer mails by a mail's own link: by one click, on the page, again, and only for whom it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from integrations.models import Delivery
from notifications import links
from notifications.consent import wishes
from notifications.models import Preference, TraceEntry
from notifications.recipients import send_checks
from tests.factories import AddressFactory
from tests.notifications.channels.mails import delivery
from wedsync.live.event_types.catalogue import Category
from wedsync.weddings.models import Address, ContactChannel

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def program() -> Client:
    """A mail program: no login, no cookie, and CSRF is checked."""
    return Client(enforce_csrf_checks=True)


def link(row: Delivery) -> str:
    return f"/unsubscribe/{links.unsubscribe_token(row.id)}/"


def test_one_click_stops_that_category_by_mail_and_nothing_else(program: Client) -> None:
    row = delivery()
    assert row.contact

    for _ in range(2):
        assert program.post(link(row), ONE_CLICK).status_code == 200

    preference = Preference.objects.get(contact=row.contact)
    assert (preference.category, preference.channel, preference.wanted) == ("timeline", "email", False)
    assert preference.source == "mail's link"
    assert wishes.wanted(row.contact.id, Category.TIMELINE, ContactChannel.WHATSAPP)
    assert wishes.wanted(row.contact.id, Category.BOOKINGS, ContactChannel.EMAIL)
    found = send_checks.blocked(row)
    assert found is not None
    assert found.reason == "not_wanted"
    assert TraceEntry.objects.filter(delivery=row).count() == 1


def test_looking_changes_nothing(program: Client) -> None:
    row = delivery()

    page = program.get(link(row))

    assert page.status_code == 200
    assert not Preference.objects.exists()
    assert not Address.objects.exists()
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    assert "noindex" in page["X-Robots-Tag"]
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "not even emergencies" in page.content.decode()


def test_no_mails_at_all_counts_for_the_address_and_can_be_taken_back(program: Client) -> None:
    row = delivery(priority="urgent")

    assert "not even in an emergency" in program.post(link(row), {"do": "leave_all"}).content.decode()
    address = Address.objects.get(organization=row.organization, channel="email", value=row.target)
    first = address.opted_out_at
    program.post(link(row), {"do": "leave_all"})
    address.refresh_from_db()
    assert address.opted_out_at == first
    found = send_checks.blocked(row)
    assert found is not None
    assert found.reason == "opted_out"

    program.post(link(row), {"do": "take_all"})
    assert send_checks.blocked(row) is None


def test_a_category_can_be_taken_back(program: Client) -> None:
    row = delivery()
    program.post(link(row), ONE_CLICK)

    program.post(link(row), {"do": "take_category"})

    assert send_checks.blocked(row) is None


def test_where_the_person_is_gone_the_address_is_marked(program: Client) -> None:
    row = delivery()
    assert row.contact
    row.contact.delete()

    assert program.get(link(row)).status_code == 200
    assert program.post(link(row), ONE_CLICK).status_code == 200

    assert Address.objects.get(value=row.target).opted_out_at is not None


def test_an_old_mailbox_does_not_speak_for_a_person_who_is_elsewhere_by_now(program: Client) -> None:
    row = delivery()
    assert row.contact
    type(row.contact).objects.filter(id=row.contact.id).update(email="anna@new.example")

    program.post(link(row), ONE_CLICK)

    assert not Preference.objects.exists()
    assert Address.objects.get().value == row.target


def test_the_same_address_at_another_company_stays_as_it_is(program: Client) -> None:
    row = delivery()
    theirs = AddressFactory(channel="email", value=row.target)

    program.post(link(row), {"do": "leave_all"})

    theirs.refresh_from_db()
    assert theirs.opted_out_at is None


@pytest.mark.parametrize("token", ["x", "x:y", "🎉", "a" * 3000])
def test_a_damaged_link_says_so_and_changes_nothing(token: str, program: Client) -> None:
    for answer in (program.get(f"/unsubscribe/{token}/"), program.post(f"/unsubscribe/{token}/", ONE_CLICK)):
        assert answer.status_code == 404
        assert "damaged" in answer.content.decode()
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    ("accepted", "says"),
    [("de-AT,en;q=0.5", "beschädigt"), ("pt, es;q=0.9", "dañado"), ("fr", "endommagé"), ("pt", "damaged")],
)
def test_a_damaged_link_says_so_in_the_browsers_language(accepted: str, says: str, program: Client) -> None:
    assert says in program.get("/unsubscribe/x:y/", headers={"accept-language": accepted}).content.decode()


def test_a_link_to_acknowledge_is_not_one_to_have_fewer_mails(program: Client) -> None:
    token = links.acknowledge_token(delivery().id)

    assert program.post(f"/unsubscribe/{token}/", ONE_CLICK).status_code == 404


def test_a_link_whose_mail_is_not_kept_any_more_has_expired(program: Client) -> None:
    row = delivery()
    there = link(row)
    row.delete()

    answer = program.post(there, ONE_CLICK)

    assert answer.status_code == 410
    assert "expired" in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"list-unsubscribe=one-click", "application/x-www-form-urlencoded; charset=utf-8"),
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded; charset=no-such"),
        (b"", "application/x-www-form-urlencoded"),
        (b"", ""),
        (b'{"List-Unsubscribe":"One-Click"}', "application/json"),
        (b"do=everything", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"--b\r\nnot a part", "multipart/form-data; boundary=b"),
        (b"List-Unsubscribe=One-Click", "multipart/form-data"),
        (b"&".join([b"a=1"] * 3000), "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("ending", ["", "?utm_source=mail"])
def test_any_post_of_a_mail_program_is_its_one_click(
    body: bytes, content_type: str, ending: str, program: Client
) -> None:
    row = delivery()

    answer = program.generic("POST", link(row) + ending, body, content_type=content_type)

    assert answer.status_code == 200
    preference = Preference.objects.get(contact=row.contact)
    assert (preference.category, preference.wanted) == ("timeline", False)


def test_a_link_without_its_last_slash_is_taken_as_well(program: Client) -> None:
    row = delivery()

    assert program.post(link(row).rstrip("/"), ONE_CLICK).status_code == 200
    assert not Preference.objects.get(contact=row.contact).wanted


def test_no_other_method_does_anything(program: Client) -> None:
    row = delivery()

    assert [getattr(program, method)(link(row)).status_code for method in ("put", "patch", "delete")] == [405] * 3
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de-AT", "Keine E-Mails mehr"),
        ("es", "Dejar de recibir correos"),
        ("fr", "Ne plus recevoir"),
        ("fi", "Stop emails"),
    ],
)
def test_the_page_speaks_the_readers_language(locale: str, words: str, program: Client) -> None:
    row = delivery(locale=locale)

    page = program.get(link(row)).content.decode()

    assert words in page
    assert "{category}" not in page


def test_a_form_of_several_parts_is_taken_as_well(program: Client, settings: Any) -> None:
    row = delivery()

    body = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    answer = program.post(link(row), body, content_type="multipart/form-data; boundary=b")

    assert answer.status_code == 200
    assert Preference.objects.get(contact=row.contact).wanted is False
