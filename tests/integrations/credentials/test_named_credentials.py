"""Credentials from the environment: only what the operator lists is used, and no resolved value is kept or shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from threading import Thread
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from integrations import tasks
from integrations.accounts.rules import Credential
from integrations.credentials.kinds import credentials_of, every
from integrations.errors import DeliveryError
from integrations.models import Attempt, Delivery, Route, System
from integrations.remote_reads import availability
from integrations.states import Outcome, Reason, State
from tests.factories import (
    AddressFactory,
    ApiKeyFactory,
    ContactFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    MembershipFactory,
    OrganizationFactory,
    RouteFactory,
    SystemFactory,
    UserFactory,
    WeddingFactory,
)
from tests.wedsync.admin.conftest import page
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import Address, Membership, Organization

NAME = "WEDSYNC_CREDENTIAL_OF_LAKESIDE"
SENTINEL = "zebra-Quartz-7731"
SIGNING = "whsec_emVicmEtUXVhcnR6LTc3MzEtc2lnbmluZw=="
STATUSES = (200, 422)
OF_SMTP = {"provider", "host", "port", "tls", "username", "password"}  # the last four change nothing of a call by HTTP
NOT_OURS = [
    "env:WEDSYNC_SECRET_KEYS",
    "env:DATABASE_URL",
    "env:PATH",
    "env:wedsync_credential_of_lakeside",
    "env:WEDSYNC_CREDENTIAL_",
    "env:WEDSYNC_CREDENTIAL_OF_ANOTHER",
    "env:",
    f"env: {NAME}",
    f"env:{NAME}\n",
    f"env:X_{NAME}",
]


class Echo(BaseHTTPRequestHandler):
    """Tells back whatever it is told: in its answer's body, its headers, and wherever an id is looked for."""

    status: ClassVar[int] = 200
    heard: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = f"{self.path} {dict(self.headers.items())} {body}"
        type(self).heard.append(told)
        said = json.dumps({"id": told[-150:], "message": told, "name": told, "messages": [{"id": told}], "told": told})
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        self.wfile.write(said.encode())

    do_PUT = do_PATCH = do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def echo(settings: Any) -> Iterator[type[Echo]]:
    part = type("Part", (Echo,), {"heard": [], "status": 200})
    with ThreadingHTTPServer(("127.0.0.1", 0), part) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings.OUTBOUND_ALLOW = (f"127.0.0.1/32:{server.server_port}",)
        part.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield part
        server.shutdown()


@pytest.fixture
def lakeside(db: None) -> Organization:
    made: Organization = OrganizationFactory(slug="lakeside")
    return made


@pytest.fixture
def listed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lists a variable for an organization and sets it."""

    def put(value: str, organization: str = "lakeside", name: str = NAME) -> None:
        settings.CREDENTIALS_ALLOWED = settings.CREDENTIALS_ALLOWED | {f"{organization}:{name}"}
        monkeypatch.setenv(name, value)

    return put


def delivery(system: System, **rest: Any) -> Delivery:
    """One to the system that its kind's own sender carries."""
    mine = {"organization": system.organization}
    wedding = WeddingFactory(**mine, date=date(2030, 6, 19))
    ExternalReferenceFactory(**mine, system=system, wedding=wedding)
    event = EventFactory(
        **mine, wedding=wedding, type="booking.created", payload={"booking_id": "BK-1", "status": "new"}
    )
    if system.kind not in {"whatsapp", "slack", "email"}:
        made: Delivery = DeliveryFactory(**mine, event=event, system=system, **rest)
        return made
    phone = "+436601234567"
    anna = ContactFactory(**mine, wedding=wedding, name="Anna", email="anna@people.example", phone=phone, role="couple")
    Address.objects.filter(**mine).delete()
    AddressFactory(**mine, channel="whatsapp", value=phone)
    target = {"whatsapp": phone, "slack": str(system.id), "email": "anna@people.example"}[system.kind]
    person = None if system.kind == "slack" else anna
    to_person: Delivery = DeliveryFactory(
        **mine, event=event, system=system, contact=person, channel=system.kind, target=target, **rest
    )
    return to_person


def complete(kind: str) -> dict[str, str]:
    """Credentials with which a system of the kind can be called."""
    return {
        "whatsapp": {"access_token": "token-of-whatsapp", "phone_number_id": "106540352242922"},
        "slack": {"webhook_path": "T01/B02/hush"},
        "email": {"api_key": "key-of-mail", "from": "Lakeside <hello@lakeside.example>"},
    }.get(kind, {"access_token": "token-of-vendor"})


def try_once(row: Delivery) -> Attempt:
    tasks.deliver.apply(args=[str(row.id)])
    return Attempt.objects.get(delivery=row, number=1)


def rows_with(text: str) -> list[str]:
    """The tables in which a text is found in any column."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE strpos(t::text, %s) > 0', [text])
            if cursor.fetchone()[0]:
                found.append(table)
    return found


@pytest.mark.parametrize("credential", every(), ids=lambda each: each.name)
def test_a_variable_that_is_not_listed_is_refused_by_the_api_at_its_field(
    credential: Credential, lakeside: Organization
) -> None:
    ApiKeyFactory(organization=lakeside, key="wsk_ours")
    for kind, value in product(every()[credential], NOT_OURS):
        system = SystemFactory(organization=lakeside, kind=kind)
        answer = Api("wsk_ours").send("patch", f"systems/{system.id}/", {"credentials": {credential.name: value}})

        assert answer.status_code == 422, (value, answer.content)
        assert [error["field"] for error in answer.json()["errors"]] == [f"credentials.{credential.name}"]
    assert not System.objects.exclude(sealed_credentials="").exists()


@pytest.mark.parametrize("credential", every(), ids=lambda each: each.name)
def test_a_variable_that_is_not_listed_is_refused_by_the_form_at_its_field(
    credential: Credential, lakeside: Organization
) -> None:
    owner = UserFactory(username="owner")
    MembershipFactory(organization=lakeside, user=owner, role=Membership.Role.OWNER)
    client = Client()
    client.force_login(owner)
    system = SystemFactory(organization=lakeside, kind=every()[credential][0])

    for value in ("env:WEDSYNC_SECRET_KEYS", "env:WEDSYNC_CREDENTIAL_OF_ANOTHER", "env:"):
        typed = {"name": "Any", "base_url": "https://any.example", "kind": system.kind, credential.field: value}
        answer = client.post(page(System, "change", system.pk), typed)

        assert answer.status_code == 200, value
        assert credential.field in answer.context["adminform"].form.errors
    system.refresh_from_db()
    assert system.sealed_credentials == ""


def test_a_variable_counts_for_the_organization_alone_for_which_it_is_listed(
    lakeside: Organization, listed: Callable[..., None]
) -> None:
    listed(SENTINEL)
    ApiKeyFactory(organization=lakeside, key="wsk_ours")
    ApiKeyFactory(organization=OrganizationFactory(slug="lake"), key="wsk_theirs")
    body = {"name": "Venue", "kind": "venue_master", "base_url": "https://venue.example"}
    body["credentials"] = {"access_token": f"env:{NAME}"}  # type: ignore[assignment]

    ours, theirs = (Api(key).send("post", "systems/", body) for key in ("wsk_ours", "wsk_theirs"))

    assert ours.status_code == 201, ours.content
    assert System.objects.get(id=ours.json()["id"]).credentials == {"access_token": SENTINEL}
    assert theirs.status_code == 422
    assert "WEDSYNC_CREDENTIALS_ALLOWED" in theirs.content.decode()
    assert SENTINEL not in theirs.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", System.Kind.values)
@pytest.mark.parametrize("value", ["env:WEDSYNC_SECRET_KEYS", "env:WEDSYNC_CREDENTIAL_OF_ANOTHER", f"env:{NAME}"])
def test_a_row_that_names_what_is_not_listed_calls_nobody_and_shows_nothing(
    kind: str,
    value: str,
    lakeside: Organization,
    echo: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows that were written before names were bounded, and rows whose variable was taken off the list."""
    settings.CREDENTIALS_ALLOWED = frozenset({f"another:{NAME}", "another:WEDSYNC_CREDENTIAL_OF_ANOTHER"})
    for name in (NAME, "WEDSYNC_CREDENTIAL_OF_ANOTHER", "WEDSYNC_SECRET_KEYS"):
        monkeypatch.setenv(name, SENTINEL)
    stored = complete(kind)
    for name in stored:
        system = SystemFactory(organization=lakeside, kind=kind, base_url=echo.url, credentials={**stored, name: value})
        row = delivery(system)

        attempt = try_once(row)

        row.refresh_from_db()
        assert (attempt.outcome, attempt.error_class) == (Outcome.FAILED, "OurFault"), name
        assert f"the credential {name} cannot be used" in attempt.error
        assert (row.state, row.state_reason) == (State.SCHEDULED, Reason.OUR_FAULT)
    assert echo.heard == []
    assert rows_with(SENTINEL) == []


def test_a_question_asks_nobody_with_a_variable_that_is_not_listed(
    lakeside: Organization, echo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_SECRET_KEYS", SENTINEL)
    credentials = {"access_token": "env:WEDSYNC_SECRET_KEYS"}
    system = SystemFactory(organization=lakeside, base_url=echo.url, credentials=credentials)

    with pytest.raises(DeliveryError, match="access_token cannot be used"):
        availability.check(system, date(2030, 6, 19), 80)

    assert echo.heard == []


@dataclass
class Trial:
    """A delivery to a system that repeats whatever it gets, one of whose credentials comes from the environment."""

    organization: Organization
    kind: str
    credential: Credential
    url: str

    @property
    def value(self) -> str:
        """What stands in the environment."""
        special = {
            "from": f"{SENTINEL} <{SENTINEL}@{SENTINEL}.example>",
            "reply_to": f"{SENTINEL}@lakeside.example",
            "signing_secret": SIGNING,
            "previous_signing_secret": SIGNING,
        }
        return special.get(self.credential.name, SENTINEL)

    def play(self) -> tuple[Attempt, list[Any]]:
        """One attempt, and what people can be shown of it and of its system afterwards."""
        stored = {**complete(self.kind), self.credential.name: f"env:{NAME}"}
        if self.credential.name == "secret_key":
            stored["provider"] = "mailjet"
        if self.credential.name == "previous_signing_secret":
            stored["signing_secret"] = "whsec_bmV3IHNlY3JldCBvZiB0aGUgdGVzdHMhIQ=="
        system = SystemFactory(organization=self.organization, kind=self.kind, base_url=self.url, credentials=stored)
        row = delivery(system)
        self._route(system, row)
        attempt = try_once(row)
        api, staff = Api("wsk_ours"), Client()
        staff.force_login(User.objects.get(username="owner"))
        shown = [
            api.send("get", f"systems/{system.id}/"),
            api.send("get", f"deliveries/{row.id}/"),
            api.send("post", "channel-config/dry-run/", {"event": self._pasted(row)}),
            staff.get(page(System, "change", system.pk)),
            staff.get(page(Delivery, "change", row.pk)),
            staff.get(page(Attempt, "change", attempt.pk)),
        ]
        return attempt, shown

    def _pasted(self, row: Delivery) -> dict[str, Any]:
        return {"type": row.event.type, "payload": row.event.payload, "wedding_id": str(row.event.wedding_id)}

    def _route(self, system: System, row: Delivery) -> None:
        Route.objects.all().delete()
        to: dict[str, Any] = {"target": "system", "system": system}
        if row.channel != "system":
            to = {"target": "people", "system": system if row.channel == "slack" else None}
            to |= {} if row.channel == "slack" else {"roles": ["couple"], "channels": [row.channel]}
        RouteFactory(
            organization=self.organization,
            channel_pattern="couple:dashboard:{id}",
            event_types=["booking.created"],
            **to,
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", System.Kind.values)
def test_a_value_from_the_environment_is_sent_and_then_found_nowhere(
    kind: System.Kind, lakeside: Organization, echo: Any, listed: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in rows, dry runs, API answers, pages or logs, although the other side repeats all that it gets."""
    caplog.set_level(logging.INFO)
    ApiKeyFactory(organization=lakeside, key="wsk_ours")
    MembershipFactory(organization=lakeside, user=UserFactory(username="owner"), role=Membership.Role.OWNER)
    called = set()
    for credential, status in product(credentials_of(kind).values(), STATUSES):
        trial = Trial(lakeside, kind, credential, echo.url)
        listed(trial.value)
        echo.status = status
        echo.heard.clear()

        attempt, shown = trial.play()

        called |= {credential.name} if echo.heard else set()
        assert {answer.status_code for answer in shown} == {200}, credential.name
        assert len(shown[2].json()["deliveries"]) == 1, shown[2].content
        for text in {SENTINEL, trial.value, SIGNING.removeprefix("whsec_")}:
            told = [answer.request["PATH_INFO"] for answer in shown if text in answer.content.decode()]
            assert (credential.name, status, told, rows_with(text)) == (credential.name, status, [], [])
            assert text not in caplog.text, (credential.name, status)
        assert attempt.status_code == (status if echo.heard else None)
    assert called >= {name for name in credentials_of(kind) if name not in OF_SMTP}
