"""Systems by the API, as staff configure them in the admin."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from integrations.models import ClientSync, System
from integrations.states import State
from tests.factories import DeliveryFactory, ExternalReferenceFactory, SystemFactory
from tests.wedsync.api.blamed import fields
from tests.wedsync.api.conftest import Api
from wedsync.runner.home import fernet_key
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VENUE = {"name": "VenueMaster", "kind": "venue_master", "base_url": "https://venue.example/v2/"}


def test_a_system_is_connected_and_its_credentials_never_come_out_again(api: Api, ours: Organization) -> None:
    body = {**VENUE, "credentials": {"access_token": "a token", "signing_secret": SIGNING}}

    made = api.send("post", "systems/", body)

    assert made.status_code == 201, made.content
    row = System.objects.get(id=made.json()["id"])
    assert (row.organization, row.base_url, row.state) == (ours, "https://venue.example/v2", "active")
    assert row.credentials == body["credentials"]
    seen = [made, api.send("get", f"systems/{row.id}/"), api.send("get", "systems/")]
    assert all(text not in answer.content.decode() for answer in seen for text in ("a token", SIGNING, "sealed"))
    assert made.json()["credentials_set"] == ["access_token", "signing_secret"]


def test_a_credential_is_replaced_or_removed_alone(api: Api, ours: Organization) -> None:
    row = SystemFactory(organization=ours, credentials={"access_token": "old", "signing_secret": SIGNING})

    answer = api.send("patch", f"systems/{row.id}/", {"credentials": {"access_token": "new", "signing_secret": None}})

    assert answer.status_code == 200
    row.refresh_from_db()
    assert row.credentials == {"access_token": "new"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "fax"}, "kind"),
        ({"base_url": "ftp://venue.example"}, "base_url"),
        ({"base_url": "https://user:secret@venue.example"}, "base_url"),
        ({"base_url": "https://venue.example/?key=1"}, "base_url"),
        ({"base_url": "https://10.0.0.1"}, "base_url"),
        ({"base_url": "https://[::1]:8443"}, "base_url"),
        ({"base_url": "http://venue.example"}, "base_url"),
        ({"base_url": "https://venue"}, "base_url"),
        ({"kind": "email", "credentials": {"provider": "smtp", "host": "mail"}}, "credentials.host"),
        ({"kind": "email", "credentials": {"provider": "smtp", "host": "10.0.0.1", "port": "25"}}, "credentials.host"),
        ({"base_url": 5}, "base_url"),
        ({"name": ""}, "name"),
        ({"name": "<script>x</script>"}, "name"),
        ({"name": "Taken"}, "name"),
        ({"call_limit": 0}, "call_limit"),
        ({"rate_per_second": -1}, "rate_per_second"),
        ({"rate_burst": "many"}, "rate_burst"),
        ({"state": "disabled"}, "state"),
        ({"organization": "x"}, "organization"),
        ({"credentials": {"api_key": "x"}}, "credentials.api_key"),
        ({"credentials": {"access_token": "env:no such"}}, "credentials.access_token"),
        ({"credentials": {"signing_secret": "short"}}, "credentials.signing_secret"),
        ({"credentials": "x"}, "credentials"),
    ],
)
def test_a_system_that_can_not_be_taken_names_the_field(
    api: Api, ours: Organization, change: dict[str, Any], field: str
) -> None:
    SystemFactory(organization=ours, name="Taken")
    SystemFactory(name="VenueMaster")  # another organization's name takes nothing away

    answer = api.send("post", "systems/", {**VENUE, **change})

    assert fields(answer) == {field}
    assert System.objects.filter(organization=ours).count() == 1


def test_an_internal_host_is_taken_where_the_operator_lists_its_port(
    api: Api, ours: Organization, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = ("10.0.0.0/8:8443", "10.0.0.0/8:587")
    mail = {"name": "Mail", "kind": "email", "base_url": "https://api.resend.com"}
    server = {"provider": "smtp", "from": "a@lakeside.example", "host": "mail"}

    made = api.send("post", "systems/", {**VENUE, "base_url": "https://venue:8443/in"})
    sent = api.send("post", "systems/", {**mail, "credentials": server})
    renamed = api.send("patch", f"systems/{made.json()['id']}/", {"name": "Other"})

    assert [answer.status_code for answer in (made, sent, renamed)] == [201, 201, 200]
    refused = api.send("patch", f"systems/{sent.json()['id']}/", {"credentials": {"port": "588"}})
    assert fields(refused) == {"credentials.host"}


STORED: list[tuple[str, dict[str, str]]] = [
    ("venue_master", {"access_token": "t"}),
    ("webhook", {"signing_secret": SIGNING}),
    ("whatsapp", {"access_token": "t", "phone_number_id": "1"}),
    ("slack", {"webhook_path": "T01/B02/x"}),
    ("email", {"api_key": "k", "from": "a@lakeside.example"}),
]


@pytest.mark.parametrize(("kind", "stored"), STORED, ids=[kind for kind, _ in STORED])
def test_a_base_url_of_another_origin_needs_the_secrets_anew(
    api: Api, ours: Organization, kind: str, stored: dict[str, str]
) -> None:
    row = SystemFactory(organization=ours, kind=kind, credentials=stored)
    secret = next(iter(stored))
    url, moved = f"systems/{row.id}/", {"base_url": "https://evil.example"}

    assert fields(api.send("patch", url, moved)) == {"base_url"}
    assert fields(api.send("patch", url, {**moved, "credentials": {}})) == {"base_url"}
    row.refresh_from_db()
    assert (row.base_url, row.credentials) == ("https://venue.example", stored)
    assert api.send("patch", url, {"base_url": "https://venue.example/v2"}).status_code == 200
    assert api.send("patch", url, {**moved, "credentials": {secret: None}}).status_code == 200
    row.refresh_from_db()
    assert secret not in row.credentials


def test_another_mail_server_needs_the_password_anew(api: Api, ours: Organization) -> None:
    stored = {"provider": "smtp", "host": "smtp.lakeside.example", "username": "me", "password": "hush-hush"}
    row = SystemFactory(organization=ours, kind="email", credentials=stored)
    moved = {"host": "smtp.evil.example"}

    assert fields(api.send("patch", f"systems/{row.id}/", {"credentials": moved})) == {"credentials.host"}
    answer = api.send("patch", f"systems/{row.id}/", {"credentials": {**moved, "password": "another"}})
    assert answer.status_code == 200


def test_what_no_key_opens_is_sent_to_no_other_place(api: Api, ours: Organization, settings: Any) -> None:
    row = SystemFactory(organization=ours, credentials={"access_token": "t"})
    settings.SECRET_KEYS = (fernet_key(),)

    assert fields(api.send("patch", f"systems/{row.id}/", {"base_url": "https://evil.example"})) == {"base_url"}


def test_a_systems_kind_stays(api: Api, ours: Organization) -> None:
    row = SystemFactory(organization=ours)

    assert fields(api.send("patch", f"systems/{row.id}/", {"kind": "slack"})) == {"kind"}


def test_a_system_is_paused_resumed_and_disabled_with_what_hangs_on_it(api: Api, ours: Organization) -> None:
    row = SystemFactory(organization=ours)
    later = timezone.now() + timezone.timedelta(hours=1)
    held = DeliveryFactory(
        organization=ours, system=row, state=State.HELD, state_reason="system_paused", next_attempt_at=later
    )

    paused = api.send("post", f"systems/{row.id}/pause/")
    resumed = api.send("post", f"systems/{row.id}/resume/")
    disabled = api.send("post", f"systems/{row.id}/disable/")

    assert (paused.json()["state"], paused.json()["state_reason"]) == ("paused", "by_staff")
    assert (resumed.json()["system"]["state"], resumed.json()["due"]) == ("active", 1)
    assert disabled.json()["state"] == "disabled"
    held.refresh_from_db()
    assert held.next_attempt_at < later


def test_a_system_with_a_history_is_kept_and_one_without_goes(api: Api, ours: Organization) -> None:
    used, idle = DeliveryFactory(organization=ours).system, SystemFactory(organization=ours)

    kept, gone = api.send("delete", f"systems/{used.id}/"), api.send("delete", f"systems/{idle.id}/")

    assert (kept.status_code, kept.json()["type"]) == (409, "/problems/conflict")
    assert gone.status_code == 204
    assert list(System.objects.filter(organization=ours)) == [used]


@pytest.mark.parametrize("what", ["a reference", "how far its clients are read"])
def test_a_system_is_not_deleted_with_what_is_known_of_it(api: Api, ours: Organization, what: str) -> None:
    row = SystemFactory(organization=ours, kind="studio_cloud")
    if what == "a reference":
        ExternalReferenceFactory(organization=ours, system=row)
    else:
        ClientSync.objects.create(organization=ours, system=row)

    answer = api.send("delete", f"systems/{row.id}/")

    assert (answer.status_code, "references" in answer.json()["detail"]) == (409, True)
    assert System.objects.filter(id=row.id).exists()
