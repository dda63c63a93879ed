"""The buttons that speak with a system: offered where they fit, to those who may, and never to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from integrations.admission import lane_of
from integrations.models import ClientSync, System
from integrations.vendors import VENDORS
from tests import factories
from tests.sandbox.sandbox_peer import Peer, running
from tests.wedsync.admin.conftest import House, Role

SignIn = Callable[..., Client]
PATHS = ("try-it", "availability", "sync-clients", "new-signing-secret", "end-previous-secret")
OLD = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHMhIQ=="
each_path = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("outside")
    (home / "sandbox.json").write_text(json.dumps({slug: {"access_token": "token"} for slug in VENDORS}))
    with running(home) as peer:
        yield peer


def system_of(house: House, kind: str, peer: Peer | None = None, **rest: Any) -> System:
    credentials = {"access_token": "token"} | rest.pop("credentials", {})
    url = f"{peer.url}/{kind}" if peer else "https://vendor.example"
    made: System = factories.SystemFactory(
        organization=house.organization, kind=kind, base_url=url, credentials=credentials, **rest
    )
    return made


def page(system: System, path: str = "change") -> str:
    return f"/admin/integrations/system/{system.pk}/{path}/"


@each_path
def test_the_buttons_of_foreign_systems_are_not_there(path: str, ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours)

    for kind in ("studio_cloud", "venue_master"):
        system = system_of(theirs, kind, credentials={"signing_secret": OLD})
        sealed = system.sealed_credentials
        for answer in (
            client.get(page(system, path)),
            client.post(page(system, path), {"date": "2027-06-19", "guests": 1}),
        ):
            assert answer.status_code == 404
            assert theirs.mark not in answer.content.decode()
        system.refresh_from_db()
        assert system.sealed_credentials == sealed
        assert not ClientSync.objects.filter(system=system).exists()


@each_path
def test_the_buttons_are_not_for_those_who_may_only_look(path: str, ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.PLANNER)
    for kind in ("studio_cloud", "venue_master"):
        system = system_of(ours, kind)
        assert client.post(page(system, path), {"date": "2027-06-19", "guests": 1}).status_code in {403, 404}
        assert f"/{path}" not in client.get(page(system)).content.decode()


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("studio_cloud", ("try-it", "sync-clients", "new-signing-secret")),
        ("venue_master", ("try-it", "availability", "new-signing-secret")),
        ("webhook", ("try-it", "new-signing-secret")),
        ("slack", ("try-it",)),
    ],
)
def test_each_kind_has_the_buttons_that_fit(kind: str, offered: tuple[str, ...], ours: House, sign_in: SignIn) -> None:
    client, system = sign_in(ours), system_of(ours, kind)

    text = client.get(page(system)).content.decode()

    assert {path for path in PATHS if f"/{path}" in text} == set(offered)
    for path in PATHS:
        assert client.get(page(system, path)).status_code == (200 if path in offered else 404)


def test_a_day_is_asked_for_and_answered_on_the_page(
    ours: House, sign_in: SignIn, outside: Peer, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{outside.port}"]
    client, system = sign_in(ours), system_of(ours, "venue_master", outside)
    path = page(system, "availability")

    free = client.post(path, {"date": "2027-06-19", "guests": "120"}).content.decode()
    many = client.post(path, {"date": "2027-06-19", "guests": "300"}).content.decode()
    wrong = client.post(path, {"date": "soon", "guests": "-1"}).content.decode()
    outside.fault("venue_master", "status", count=1)
    failed = client.post(path, {"date": "2027-06-19", "guests": "120"}).content.decode()

    assert "Saturday, 2027-06-19" in free
    assert "Free" in free
    assert "Not available" in many
    assert "We take 250 guests at most." in many
    assert "Write it as year-month-day" in wrong
    assert "could not be asked: answered 503." in failed


def test_credentials_are_tried_on_the_page_which_says_what_happened_and_what_to_do(
    ours: House, sign_in: SignIn, outside: Peer, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{outside.port}"]
    client = sign_in(ours)
    right = system_of(ours, "venue_master", outside, state="paused")
    wrong = system_of(ours, "shootq", outside, credentials={"access_token": "zebra-Quartz-7731"})
    nothing = system_of(ours, "slack", credentials={"webhook_path": "T01/B02/hush"})
    seen = outside.request_log("venue_master")["counts"]

    asked = client.get(page(right, "try-it")).content.decode()
    assert outside.request_log("venue_master")["counts"] == seen, "following a link asks nobody"
    taken = client.post(page(right, "try-it")).content.decode()
    refused = client.post(page(wrong, "try-it")).content.decode()
    untried = client.post(page(nothing, "try-it")).content.decode()

    assert "by a call that changes nothing there?" in asked
    assert "VenueMaster accepted the credentials." in taken
    assert "The system is paused. Resume it" in taken
    assert "ShootQ refused the credentials: answered 401" in refused
    assert "then try again: Access token." in refused
    assert "zebra-Quartz-7731" not in refused
    assert "Slack has no call that changes nothing" in untried
    right.refresh_from_db()
    assert right.state == "paused"


def test_clients_are_read_now_and_the_page_says_how_far(
    ours: House, sign_in: SignIn, outside: Peer, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{outside.port}"]
    client, system = sign_in(ours), system_of(ours, "shootq", outside)
    assert "Not read yet." in client.get(page(system)).content.decode()

    asked = client.get(page(system, "sync-clients"))
    assert not ClientSync.objects.exists()
    done = client.post(page(system, "sync-clients"), {"again": "on"}, follow=True).content.decode()

    assert "Sync clients now" in asked.content.decode()
    assert "0 read in all" in done
    assert "up to date at" in done


def test_a_paused_system_is_not_read(ours: House, sign_in: SignIn) -> None:
    system = system_of(ours, "shootq", state="paused")

    text = sign_in(ours).post(page(system, "sync-clients"), {}).content.decode()

    assert "is paused. Resume it first." in text
    assert not ClientSync.objects.exists()


def test_a_new_secret_is_shown_once_and_the_one_before_signs_along_until_it_is_ended(
    ours: House, sign_in: SignIn
) -> None:
    client, system = sign_in(ours), system_of(ours, "webhook", credentials={"signing_secret": OLD})

    client.get(page(system, "new-signing-secret"))
    system.refresh_from_db()
    assert system.credentials["signing_secret"] == OLD
    shown = client.post(page(system, "new-signing-secret"))

    system.refresh_from_db()
    fresh = system.credentials["signing_secret"]
    assert fresh in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    assert system.credentials == {"access_token": "token", "signing_secret": fresh, "previous_signing_secret": OLD}
    later = client.get(page(system)).content.decode() + client.get(page(system, "history")).content.decode()
    assert fresh not in later
    assert OLD not in later
    client.post(page(system, "end-previous-secret"))
    system.refresh_from_db()
    assert system.credentials == {"access_token": "token", "signing_secret": fresh}


def test_a_previous_secret_can_be_entered_by_hand_and_must_be_one(ours: House, sign_in: SignIn) -> None:
    client, system = sign_in(ours), system_of(ours, "webhook")
    form = {"name": system.name, "base_url": system.base_url}

    refused = client.post(page(system), form | {"credential_previous_signing_secret": "secret"})
    assert "whsec_ followed by base64" in refused.content.decode()
    assert client.post(page(system), form | {"credential_previous_signing_secret": OLD}).status_code == 302
    system.refresh_from_db()
    assert system.credentials["previous_signing_secret"] == OLD


def test_limits_are_entered_on_the_page_and_make_the_lane(ours: House, sign_in: SignIn) -> None:
    client, system = sign_in(ours), system_of(ours, "webhook")
    known = {"name": system.name, "kind": system.kind, "base_url": f"{system.base_url}/in"}

    refused = client.post(page(system), {**known, "call_limit": "0", "rate_per_second": "-1", "rate_burst": "x"})
    client.post(page(system), {**known, "call_limit": "9", "rate_per_second": "2.5", "rate_burst": "7"})

    assert refused.status_code == 200, "shown again, with the reasons"
    lane = lane_of(System.objects.get(id=system.id))
    assert (lane.call_limit, lane.rate, lane.burst) == (9, 2.5, 7)


@pytest.mark.parametrize(("state", "offered"), [("active", {"pause", "disable"}), ("paused", {"resume", "disable"})])
def test_only_what_would_change_something_is_offered(
    ours: House, sign_in: SignIn, state: str, offered: set[str]
) -> None:
    system = system_of(ours, "venue_master")
    System.objects.filter(id=system.id).update(state=state)

    text = sign_in(ours).get(page(system)).content.decode()

    assert {path for path in ("resume", "pause", "disable") if f"/{path}/" in text} == offered
    assert "/trip-breaker/" in text
    assert "/reset-breaker/" not in text
