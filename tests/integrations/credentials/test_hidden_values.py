"""A credential from the environment is sent where it belongs, and found nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrations.accounts.rules import Credential
from integrations.credentials.kinds import credentials_of
from integrations.models import Attempt, Delivery, Route, System
from tests.factories import ApiKeyFactory, MembershipFactory, RouteFactory, SystemFactory, UserFactory
from tests.integrations.credentials.named import NAME, SENTINEL, SIGNING, complete, delivery, rows_with, try_once
from tests.wedsync.admin.conftest import page
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import Membership, Organization

STATUSES = (200, 422)
OF_SMTP = {"provider", "host", "port", "tls", "username", "password"}  # the last four change nothing of a call by HTTP


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
