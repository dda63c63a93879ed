"""Reading clients from a CRM over HTTP: a cursor that loses nothing, and changes that are the CRM's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations import tasks
from integrations.models import ClientSync, Delivery, ExternalReference, System
from integrations.remote_reads import client_sync
from integrations.routing import route_event
from integrations.vendors import VENDORS
from tests.at_once import at_once
from tests.factories import ContactFactory, ExternalReferenceFactory, RouteFactory, SystemFactory
from tests.integrations.conftest import Told
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact

Tell = Callable[..., Told]
CRMS = [slug for slug, vendor in VENDORS.items() if vendor.lists_clients]
alone = pytest.mark.django_db
with_threads = pytest.mark.django_db(transaction=True)


def people(there: Told, count: int) -> list[Contact]:
    """Contacts of ours, whom the CRM calls C-000, C-001 and so on, and holds under other names."""
    made = []
    for number in range(count):
        contact = ContactFactory(
            organization=there.system.organization, wedding=there.wedding, name=f"Old {number}", email="", phone=""
        )
        there.knows(contact, f"C-{number:03}")
        made.append(contact)
    there.put("client", *({"id": f"C-{number:03}", "name": f"New {number}"} for number in range(count)))
    return made


def news(there: Told) -> list[dict[str, Any]]:
    found = ChannelEvent.objects.filter(organization=there.system.organization, type="client.updated")
    return [event.payload for event in found.order_by("id")]


@alone
@pytest.mark.parametrize("slug", CRMS)
def test_what_changed_in_the_crm_changes_the_contact_and_becomes_news_of_just_that(slug: str, told: Tell) -> None:
    there = told(slug)
    anna = ContactFactory(
        organization=there.system.organization, wedding=there.wedding, name="Anna", email="a@people.example", phone=""
    )
    there.knows(anna, "C-1")
    there.put("client", {"id": "C-1", "name": "Anna", "email": "a@people.example", "phone": "+43 660 1234567"})

    row = client_sync.sync(there.system)

    anna.refresh_from_db()
    assert anna.phone == "+436601234567"
    assert news(there) == [{"wedding_id": str(there.wedding.id), "client_id": "C-1", "phone": "+436601234567"}]
    assert (row.seen, row.changed, row.unknown, row.refused, row.error) == (1, 1, 0, 0, "")
    assert row.finished_at is not None
    again = client_sync.sync(there.system)
    assert (again.seen, again.cursor) == (1, row.cursor)
    there.put("client", {"id": "C-1", "name": "Anna Moser"})
    assert client_sync.sync(there.system).seen == 2
    assert news(there)[1] == {
        "wedding_id": str(there.wedding.id),
        "client_id": "C-1",
        "name": "Anna Moser",
        "before": {"name": "Anna"},
    }


@alone
def test_the_news_goes_to_the_weddings_other_crms_as_a_diff_and_not_back(told: Tell) -> None:
    here = told("studio_cloud")
    other = told("iris_works", wedding=here.wedding)
    anna = ContactFactory(organization=here.system.organization, wedding=here.wedding, name="Anna", phone="")
    here.knows(anna, "C-1")
    other.knows(anna, "I-1", known={"name": "Anna"})
    for system in (here.system, other.system):
        RouteFactory(
            organization=system.organization, system=system, channel_pattern="supplier:photography:{organizationId}"
        )
    here.put("client", {"id": "C-1", "name": "Anna Moser"})

    client_sync.sync(here.system)

    event = ChannelEvent.objects.get(type="client.updated")
    assert (event.source_system_id, event.occurred_at <= timezone.now()) == (here.system.id, True)
    route_event.route(event.id)
    assert [delivery.system for delivery in Delivery.objects.filter(event=event)] == [other.system]


@alone
def test_what_our_people_changed_stays_where_the_crm_says_only_what_it_said_before(told: Tell) -> None:
    there = told("shootq")
    (anna,) = people(there, 1)
    client_sync.sync(there.system)
    Contact.objects.filter(id=anna.id).update(name="Anna, as we write her")

    there.put("client", {"id": "C-000", "email": "anna@people.example"})
    client_sync.sync(there.system)

    anna.refresh_from_db()
    assert (anna.name, anna.email) == ("Anna, as we write her", "anna@people.example")


@alone
def test_a_page_that_fails_in_the_middle_keeps_the_pages_before_it_and_goes_on_from_there(told: Tell) -> None:
    there = told("studio_cloud")
    people(there, 120)
    first = client_sync.sync(there.system, pages=1)
    assert (first.seen, first.finished_at) == (50, None)

    there.peer.fault("studio_cloud", "silent_close", path="/studio_cloud/clients", after=True, count=1)
    broken = client_sync.sync(there.system)
    assert broken.error
    assert (broken.seen, broken.cursor) == (50, first.cursor)

    whole = client_sync.sync(there.system)
    assert (whole.seen, whole.changed, whole.error) == (120, 120, "")
    assert whole.finished_at is not None
    assert len(news(there)) == len({each["client_id"] for each in news(there)}) == 120


@with_threads
def test_several_runs_at_once_read_each_page_once(told: Tell) -> None:
    there = told("iris_works")
    contacts = people(there, 120)

    at_once(4, lambda _: client_sync.sync(System.objects.get(id=there.system.id)))

    row = client_sync.sync(there.system)
    assert (row.seen, row.changed) == (120, 120)
    assert sorted(each["client_id"] for each in news(there)) == [f"C-{number:03}" for number in range(120)]
    assert Contact.objects.filter(id__in=[contact.id for contact in contacts], name__startswith="New").count() == 120


@alone
def test_a_cursor_that_the_crm_has_forgotten_is_replaced_by_the_time_of_the_last_change(told: Tell) -> None:
    there = told("studio_cloud")
    people(there, 60)
    client_sync.sync(there.system)
    ClientSync.objects.filter(system=there.system).update(cursor="forgotten")
    there.put("client", {"id": "C-007", "name": "Newest"})

    assert client_sync.sync(there.system).error
    row = client_sync.sync(there.system)

    assert row.error == ""
    assert row.changed == 61
    assert row.seen < 60 + 10  # not all of them again


@alone
def test_a_client_is_linked_by_an_address_that_only_one_person_of_the_systems_weddings_has(told: Tell) -> None:
    there, elsewhere = told("shootq"), told("shootq", booking=None)
    mine = {"organization": there.system.organization, "wedding": there.wedding}
    anna = ContactFactory(**mine, email="anna@people.example", name="Anna")
    ContactFactory(**mine, email="both@people.example")
    ContactFactory(**mine, email="both@people.example")
    ContactFactory(organization=elsewhere.system.organization, wedding=elsewhere.wedding, email="far@people.example")
    there.put(
        "client",
        {"id": "C-1", "email": "Anna@People.example", "name": "Anna M."},
        {"id": "C-2", "email": "both@people.example"},
        {"id": "C-3", "email": "far@people.example"},
        {"id": "C-4"},
    )

    row = client_sync.sync(there.system)

    assert (row.seen, row.changed, row.unknown) == (4, 1, 3)
    reference = ExternalReference.objects.get(system=there.system, kind="client")
    assert (reference.external_id, reference.contact) == ("C-1", anna)


@alone
def test_clients_that_staff_link_later_are_reached_by_reading_all_anew(told: Tell) -> None:
    there = told("studio_cloud")
    there.put("client", {"id": "C-1", "name": "Anna Moser"})
    client_sync.sync(there.system)
    anna = ContactFactory(organization=there.system.organization, wedding=there.wedding, name="Anna")
    there.knows(anna, "C-1")

    client_sync.start_over(there.system)
    client_sync.sync(there.system)

    anna.refresh_from_db()
    assert anna.name == "Anna Moser"


@alone
def test_clients_that_can_not_be_read_keep_nobody_else_out(told: Tell) -> None:
    there = told("iris_works")
    people(there, 2)
    there.put("client", {"id": "C-000", "name": ["no", "text"]}, {"id": "C-001", "phone": "+436601234567"})

    row = client_sync.sync(there.system)

    assert (row.seen, row.refused, row.changed) == (2, 1, 1)


@alone
def test_an_older_word_comes_too_late(told: Tell) -> None:
    there = told("iris_works")
    (anna,) = people(there, 1)
    ExternalReference.objects.filter(contact=anna).update(known_at=timezone.now() + timedelta(hours=1))

    row = client_sync.sync(there.system)

    anna.refresh_from_db()
    assert (anna.name, row.changed) == ("Old 0", 0)


@alone
@pytest.mark.parametrize("mode", ["status", "endless_body", "reset"])
def test_what_goes_wrong_at_the_crm_stands_in_the_row(mode: str, told: Tell) -> None:
    there = told("shootq")
    there.peer.fault("shootq", mode)

    assert client_sync.sync(there.system).error
    requests.delete(f"{there.peer.url}/_/faults", timeout=10)
    assert client_sync.sync(there.system).error == ""


@alone
def test_the_command_reads_every_crm_and_says_where_it_could_not(told: Tell) -> None:
    there, broken = told("shootq"), told("iris_works", credentials={"access_token": "wrong"})
    people(there, 1)
    output = StringIO()

    with pytest.raises(CommandError):
        call_command("sync_clients", stdout=output)

    assert "seen 1, changed 1 in all" in output.getvalue()
    assert f"{broken.system}: answered 401" in output.getvalue()
    call_command("sync_clients", system=there.system.id, anew=True, stdout=output)
    assert "seen 2, changed 1 in all" in output.getvalue()


@alone
def test_the_task_reads_a_crm_that_is_active_and_leaves_every_other_system_alone(told: Tell) -> None:
    there = told("studio_cloud")
    people(there, 1)
    paused = SystemFactory(kind="shootq", state="paused")
    venue = SystemFactory(kind="venue_master")

    for system in (there.system, paused, venue):
        tasks.sync_clients_of(str(system.id))

    assert [row.system for row in ClientSync.objects.all()] == [there.system]
    assert [system.kind for system in client_sync.readable()] == ["studio_cloud"]


@alone
def test_a_name_that_leads_to_a_wedding_alone_stands_for_no_contact(told: Tell) -> None:
    there = told("studio_cloud")
    ExternalReferenceFactory(
        organization=there.system.organization,
        system=there.system,
        kind="client",
        external_id="C-1",
        wedding=there.wedding,
    )
    there.put("client", {"id": "C-1", "name": "Anna"})

    assert client_sync.sync(there.system).unknown == 1
