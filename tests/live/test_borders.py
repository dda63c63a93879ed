"""Nobody hears, says or learns anything beyond their own, by any operation, with any ticket that is not theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.factories import ContactFactory, WeddingFactory
from tests.live.socket_client import ask, couple, socket, witness
from tests.live.world import World, make_world
from wedsync.live.access import tickets
from wedsync.live.models import ChannelEvent, Seen, Ticket
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, PersonalLink

MARK = "Zsazsa"
TYPE = "custom.note"


def of_another_organization(world: World) -> str:
    return make_world(world.product).ticket()


def of_another_couple(world: World) -> str:
    wedding = WeddingFactory(organization=world.organization)
    other = ContactFactory(organization=world.organization, wedding=wedding, role="couple")
    return world.ticket(contact=str(other.id))


def of_a_supplier(world: World) -> str:
    dashboard = f"supplier:dashboard:{world.systems['studio_cloud'].id}"
    return world.ticket(contact=str(world.people["photographer"].id), channels=[dashboard])


def of_a_narrow_key(world: World) -> str:
    return world.ticket(channels=["supplier:*:*"])


def linked(world: World) -> tuple[str, PersonalLink]:
    link = personal_links.issue(world.people["couple"])
    return tickets.issue_for_contact(link.contact_id, link.id)[0], link


def of_a_revoked_link(world: World) -> str:
    text, link = linked(world)
    personal_links.revoke(PersonalLink.objects.filter(id=link.id), "staff")
    return text


def of_a_moved_contact(world: World) -> str:
    contact = world.people["caterer"]
    Contact.objects.filter(id=contact.id).update(role="couple")
    text = world.ticket(contact=str(contact.id))
    Contact.objects.filter(id=contact.id).update(wedding=WeddingFactory(organization=world.organization))
    return text


def of_a_moved_contacts_link(world: World) -> str:
    text, link = linked(world)
    Contact.objects.filter(id=link.contact_id).update(wedding=WeddingFactory(organization=world.organization))
    return text


def reused(world: World) -> str:
    text = world.ticket()
    with socket(world, text) as client:
        assert ask(client, op="ping")["ok"]
    return text


def stretched_in_time(world: World) -> str:
    text = world.ticket()
    Ticket.objects.filter(organization=world.organization).update(expires_at="2026-01-01T00:00:00Z")
    return text


def stretched(world: World) -> str:
    return world.ticket() + "AAAA"


INTRUDERS: dict[str, Callable[[World], str]] = {
    found.__name__: found
    for found in (
        of_another_organization, of_another_couple, of_a_supplier, of_a_narrow_key, of_a_revoked_link,
        of_a_moved_contact, of_a_moved_contacts_link, reused, stretched_in_time, stretched,
    )
}  # fmt: skip
REQUESTS: dict[str, dict[str, Any]] = {
    "subscribe": {"op": "subscribe"},
    "resume": {"op": "subscribe", "after": 0},
    "publish": {"op": "publish", "type": TYPE, "payload": {"text": "from a stranger"}},
    "presence": {"op": "presence", "watch": True},
    "seen": {"op": "seen", "sequence": 1},
}
PATHS = {"history": "/api/channels/{name}/events/?after=0", "stream": "/api/channels/events/?channel={name}"}


def by_socket(world: World, text: str, request: dict[str, Any]) -> str:
    """Everything that came back, up to the answer to a second request."""
    came = []
    try:
        with socket(world, text) as client:
            came.append(ask(client, channel=couple(world), **request))
            came.append(ask(client, op="ping"))
    except ConnectionClosed as closed:
        came.append({"code": closed.rcvd.code if closed.rcvd else None})
    return json.dumps(came)


def by_http(world: World, text: str, path: str) -> str:
    """The status and the first bytes that came back."""
    url = f"{world.product.base_url}{path.format(name=couple(world))}"
    with requests.get(url, headers={"Authorization": f"Bearer {text}"}, stream=True, timeout=5) as answer:
        first = next(answer.iter_content(4096), b"")
        return f"{answer.status_code} {first.decode()}"


@pytest.mark.parametrize("operation", [*REQUESTS, *PATHS])
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_nothing_is_heard_or_told(world: World, intruder: str, operation: str) -> None:
    url = f"{world.product.base_url}/api/channels/{couple(world)}/events/"
    said = {"type": TYPE, "payload": {"text": MARK}}
    with witness(world):
        assert requests.post(url, json=said, headers=world.headers, timeout=10).status_code == 201
        text = INTRUDERS[intruder](world)

        if operation in REQUESTS:
            came = by_socket(world, text, REQUESTS[operation])
        else:
            came = by_http(world, text, PATHS[operation])

    assert MARK not in came
    assert '"count": 1' not in came
    assert ChannelEvent.objects.filter(type=TYPE, organization=world.organization).count() == 1
    assert not Seen.objects.filter(channel__organization=world.organization).exists()
    if intruder != "of_another_organization":  # which has a channel of the same name of its own
        assert '"ok": true' not in came.removesuffix(', {"id": 1, "ok": true}]')
        assert not came.startswith("200")
