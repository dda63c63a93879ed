"""Previews of a template on each channel: an event rendered and laid out exactly as if sent; nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from integrations.errors import DeliveryError
from integrations.models import Delivery, System
from integrations.rules import examples
from notifications import wording
from notifications.channels import subjects
from notifications.channels.registry import CHANNELS
from notifications.digests import windows
from notifications.models import MessageTemplate
from notifications.models.templates import OTHERS
from notifications.wording import own
from wedsync.env import ConfigurationError
from wedsync.ids import new_id
from wedsync.live.event_types.catalogue import type_of
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, ContactChannel, Organization, Wedding

MOST_EVENTS = 20
MOST_DIGESTED = 5
_OF_OTHERS = "timeline.updated"


@dataclass(frozen=True)
class Shown:
    """A message as its reader sees it; ``html``: an email's whole document. ``problem``: why there is no message."""

    channel: str
    subject: str = ""
    text: str = ""
    html: str = ""
    problem: str = ""


def events_for(template: MessageTemplate) -> list[ChannelEvent]:
    """The newest events of the template's organization that the template could be used for."""
    rows = ChannelEvent.objects.filter(organization_id=template.organization_id).select_related("wedding")
    if template.event_type in OTHERS:
        rows = rows.filter(wedding__isnull=False)
    else:
        rows = rows.filter(type=template.event_type)
    return list(rows.order_by("-id")[:MOST_EVENTS])


def example_for(template: MessageTemplate) -> ChannelEvent:
    """An event that was never stored, with all optional fields."""
    name = _OF_OTHERS if template.event_type in OTHERS else template.event_type
    now, facts = timezone.now(), examples.facts(name)
    known = {field: value for field, value in facts["wedding"].items() if field != "id"}
    payload = {field: value for field, value in examples.payload(name).items() if field != "extra"}
    return ChannelEvent(
        organization=template.organization,
        wedding=None if type_of(name).is_about_us else Wedding(organization=template.organization, **known),
        type=name,
        payload=payload,
        occurred_at=now,
        received_at=now,
        source=ChannelEvent.Source.WEBHOOK,
        priority=type_of(name).priority,
    )


def looks(template: MessageTemplate, event: ChannelEvent) -> Iterator[Shown]:
    """The template's message about an event, on its own channel or on each.

    Arguments:
        event: of the template's organization.

    Raises:
        ValueError: it is another organization's.
    """
    if event.organization_id != template.organization_id:
        raise ValueError("the event belongs to another organization")
    for channel in [ContactChannel(template.channel)] if template.channel else list(ContactChannel):
        yield _look(template, event, channel)


def _look(template: MessageTemplate, event: ChannelEvent, channel: ContactChannel) -> Shown:
    delivery = _delivery(template.organization, event, channel, template.locale)
    sender = CHANNELS[channel]
    try:
        subject = subjects.of(delivery)
        if template.event_type == wording.DIGEST:
            subject = replace(subject, digest=_gathered(event))
            delivery.dedupe_key = f"{new_id()}:{windows.DIGEST_KEY}:0"
        with own.trial(template.event_type, template.text):
            content = wording.write(replace(subject, contact=delivery.contact))
        composed = sender.compose(content, delivery)
    except (ValueError, DeliveryError, ConfigurationError) as error:
        return Shown(channel.label, problem=str(error))
    text = _slack_text(composed.request.body) if channel == ContactChannel.SLACK else composed.text
    return Shown(channel.label, composed.subject, text, composed.html)


def _delivery(organization: Organization, event: ChannelEvent, channel: ContactChannel, locale: str) -> Delivery:
    """A delivery that is never stored, to a reader of the template's language."""
    system = System(organization=organization, name=channel.label, kind=channel)
    system.seal_credentials({"from": f"{organization.name} <wedding@example.com>"})
    contact = Contact(organization=organization, wedding=event.wedding, name="Katharina Berger", locale=locale)
    delivery_id = new_id()
    return Delivery(
        id=delivery_id,
        organization=organization,
        event=event,
        system=system,
        contact=None if type_of(event.type).is_about_us else contact,
        channel=channel,
        priority=event.priority,
        dedupe_key=f"{event.id}:preview:{delivery_id}",
    )


def _gathered(event: ChannelEvent) -> tuple[ChannelEvent, ...]:
    if event._state.adding:  # noqa: SLF001  (an example)
        return (event,) * MOST_DIGESTED
    beside = ChannelEvent.objects.filter(organization_id=event.organization_id, wedding=event.wedding, id__lte=event.id)
    return tuple(reversed(beside.select_related("wedding").order_by("-id")[:MOST_DIGESTED]))


def _slack_text(body: str) -> str:
    """Slack's blocks line by line, with its escapes undone."""
    lines = [line for block in json.loads(body)["blocks"] for line in _block(block)]
    return "\n\n".join(lines).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _block(block: dict[str, Any]) -> Iterator[str]:
    if block["type"] == "actions":
        yield from (f"[ {each['text']['text']} ]" for each in block["elements"])
        return
    parts = [block["text"]] if "text" in block else block.get("fields") or block.get("elements", [])
    yield from (part["text"].replace("<!channel>", "@channel") for part in parts)
