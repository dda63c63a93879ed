"""What the tests of this folder share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.models import System
from integrations.outbound.sending import close_idle
from notifications.channels.whatsapp import templates
from tests.factories import MembershipFactory, RouteFactory, SystemFactory, UserFactory, WeddingFactory
from tests.notifications.channels.texting import ACCOUNT
from tests.sandbox.sandbox_peer import PHONE, RESEND_KEY, SLACK_PATH, TOKEN, Peer, configuration, running
from wedsync.weddings.models import Wedding


@pytest.fixture(scope="session")
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


@pytest.fixture
def sms(outside: Peer) -> System:
    """The system that sends text messages to a wedding's couple; mail is there too."""
    mine = {"organization": WeddingFactory().organization}
    mail = {"api_key": RESEND_KEY, "from": "Lakeside <hello@wedsync.example>"}
    SystemFactory(**mine, kind="email", base_url=f"{outside.url}/resend", credentials=mail)
    RouteFactory(**mine, channel_pattern="couple:dashboard:{id}", target="people", roles=["couple"])
    made: System = SystemFactory(**mine, kind="sms", base_url=f"{outside.url}/twilio", credentials=ACCOUNT)
    return made


@pytest.fixture
def texted(sms: System) -> Wedding:
    """The wedding of that system's organization."""
    return Wedding.objects.get(organization=sms.organization)


@pytest.fixture
def pushed(outside: Peer) -> Wedding:
    """A wedding whose couple is told by the channel that each prefers: email, and notifications in browsers."""
    made: Wedding = WeddingFactory()
    mine = {"organization": made.organization}
    mail = {"api_key": RESEND_KEY, "from": "Lakeside <hello@wedsync.example>"}
    SystemFactory(**mine, kind="email", base_url=f"{outside.url}/resend", credentials=mail)
    SystemFactory(**mine, kind="web_push", base_url="https://hub.example", credentials={})
    RouteFactory(**mine, channel_pattern="couple:dashboard:{id}", target="people", roles=["couple"])
    return made
