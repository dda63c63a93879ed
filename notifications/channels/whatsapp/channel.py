"""WhatsApp Business Cloud API: approved templates, and free text to people who wrote to us in the last 24 hours.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages. It has no idempotency keys.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from integrations.accounts import formats
from integrations.accounts.rules import ACCESS_TOKEN, Credential, Rate
from integrations.deliveries import staff_actions
from integrations.errors import DeliveryError, Permanent, WindowClosed
from integrations.models import Delivery, System
from integrations.outbound import Call, Request, Response, check_status, send
from integrations.registry.senders import Blocked
from integrations.remote_reads.asking import answer_in
from integrations.states import Reason, State
from integrations.systems.trials import HarmlessCall, TrialRefused
from notifications import links
from notifications.channels.base import (
    EXAMPLE_RECIPIENT,
    LATELY,
    Composed,
    PersonChannel,
    credentials_in,
    usual_status_wait,
)
from notifications.channels.whatsapp import error_effects, filled_templates, frozen_messages, pair_limit, templates
from notifications.channels.whatsapp.errors import code_of, error_of
from notifications.channels.whatsapp.filled_templates import Approved
from notifications.consent import address_marks
from notifications.rules.approved_templates import LONGEST_BODY
from notifications.trace import recording
from notifications.trace.recording import What
from notifications.wording import DEFAULT_LANGUAGE, Content
from notifications.wording.letters import fit
from wedsync.weddings.models import Address, ContactChannel

WINDOW = timedelta(hours=24)
MARGIN = timedelta(minutes=5)  # before the window's end: Meta's clock counts
LONGEST_TEXT = 4096
LONGEST_LINK = 400  # characters kept free for the link to the couple's page, with its label
_NO_OBJECT = 100  # Meta: an object that does not exist, or that the token may not use


class WhatsApp(PersonChannel):
    """One message to one phone."""

    credentials = (
        ACCESS_TOKEN,
        Credential("phone_number_id", "Phone number id", "Of the WhatsApp Business account.", False, formats.digits),
    )
    published_rate = Rate(80, 80)  # https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput
    channel = ContactChannel.WHATSAPP

    def needed(self, values: Mapping[str, str]) -> Sequence[str]:
        """The token, and the number that sends."""
        return ("access_token", "phone_number_id")

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """What blocks it on any channel; otherwise Meta's limit for our number and one phone."""
        found = super().blocked(delivery)
        if found is None and (wait := pair_limit.reserve(delivery)):
            return Blocked(Reason.PAIR_LIMITED, timezone.now() + timedelta(seconds=wait))
        return found

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Free text if it is allowed and nothing is asked; otherwise an approved template with its parameters."""
        common: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": delivery.target,
            "biz_opaque_callback_data": str(delivery.id),
        }
        if not content.asks and _window_is_open(delivery):
            text = _free_text(content)
            body = {**common, "type": "text", "text": {"preview_url": False, "body": text}}
        else:
            approved = filled_templates.template_for(content, delivery)
            text = approved.text
            body = {**common, "type": "template", "template": _template(approved)}
        request = Request("POST", "/messages", json.dumps(body), {"Content-Type": "application/json"})
        return Composed(request, content.headline, text)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The sending number is in the path."""
        base = delivery.system.base_url.rstrip("/")
        url = f"{base}/{settings.GRAPH_VERSION}/{credentials['phone_number_id']}{request.path}"
        headers = {**request.headers, "Authorization": f"Bearer {credentials['access_token']}"}
        return Call(request.method, url, request.body.encode(), headers)

    def status_wait(self, delivery: Delivery) -> float | None:
        """A status contains our ``biz_opaque_callback_data``, and so says that the message was accepted."""
        return usual_status_wait(delivery)

    def classify(self, response: Response) -> DeliveryError | None:
        """The error that ``error.code`` means."""
        return error_of(response)

    def noted(self, delivery: Delivery, error: DeliveryError) -> None:
        """What it says about the pair, or about the template."""
        error_effects.apply(delivery, error)

    def failed(self, delivery: Delivery, error: DeliveryError) -> None:
        """What was refused as free text is sent again as a template."""
        super().failed(delivery, error)
        if isinstance(error, WindowClosed):
            address_marks.window_closed(delivery.organization_id, self.channel, delivery.target, timezone.now())
            send_as_template(delivery)

    def window_closed(self, delivery: Delivery) -> None:
        """See :meth:`failed`; here the refusal came with a status."""
        send_as_template(delivery)

    def overlong(self, lines: Sequence[str], locale: str, *, alone: bool) -> str:
        """Whether it is too long for the shipped templates."""
        language = locale.split("-")[0]
        own = [each["body"] for each in templates.SHIPPED if each["language"] == language]
        english = [each["body"] for each in templates.SHIPPED if each["language"] == DEFAULT_LANGUAGE]
        values = (EXAMPLE_RECIPIENT, lines[0], " · ".join(lines[1:]))
        length = max(len(filled_templates.filled(body, values)) for body in own or english)
        if length <= LONGEST_BODY:
            return ""
        return f"With an example WhatsApp's message has {length} characters; the limit is {LONGEST_BODY}."

    def answered(self, delivery: Delivery, response: Response) -> None:
        """Remember WhatsApp's own name for the phone: people's answers, also STOP, come under it."""
        address_marks.known_as(delivery.organization_id, ContactChannel.WHATSAPP, delivery.target, _names_in(response))

    def harmless_call(self, system: System) -> HarmlessCall | None:
        """Look up the sending number."""
        credentials = credentials_in(system)
        number = credentials["phone_number_id"]
        headers = {"Authorization": f"Bearer {credentials['access_token']}", "Accept": "application/json"}
        url = f"{system.base_url.rstrip('/')}/{settings.GRAPH_VERSION}/{number}"
        call = Call("GET", url, b"", headers)
        return HarmlessCall(
            lambda deadline: send(call, deadline=deadline), lambda response: _looked_up(number, response)
        )

    def provider_id(self, response: Response) -> str:
        """The ``wamid`` of the accepted message."""
        return response.text_at("messages", 0, "id")


def _looked_up(number: str, response: Response) -> str:
    if code_of(response) == _NO_OBJECT:
        raise TrialRefused(
            "WhatsApp knows the token, but no phone number with this id that the token may use",
            "Compare the phone number id with WhatsApp Manager: it is the id there, not the number. Give the token's "
            "user access to that account. Then try again.",
        )
    error = error_of(response)
    if error is not None:
        raise error
    check_status(response)
    if answer_in(response).get("id") != number:
        raise Permanent("the answer does not name this phone number id")
    return ""


def _names_in(response: Response) -> list[str]:
    """``wa_id`` and ``user_id`` of the person whom an answer names."""
    named = (response.text_at("contacts", 0, name) for name in ("wa_id", "user_id"))
    return [name for name in named if name]


def _window_is_open(delivery: Delivery) -> bool:
    address = Address.objects.filter(
        organization_id=delivery.organization_id, channel=ContactChannel.WHATSAPP, value=delivery.target
    ).first()
    if address is None or address.last_inbound_at is None:
        return False
    closed = address.window_closed_at is not None and address.window_closed_at >= address.last_inbound_at
    return not closed and address.last_inbound_at > timezone.now() - WINDOW + MARGIN


def send_as_template(delivery: Delivery) -> bool:
    """Send again as a template what WhatsApp refused as free text; false if it already was a template."""
    if not frozen_messages.is_text(delivery.request):
        return False
    again = staff_actions.send_anew(delivery)
    recording.note(again, What.FELL_BACK, "the 24 hours for free text are over: it is sent again as a template")
    return True


def resend_closed_windows() -> int:
    """Send as templates what was refused as free text when its worker died; a round of the sweep."""
    same = {name: OuterRef(name) for name in ("event", "channel", "target", "plan_step")}
    following = Delivery.objects.filter(**same, generation__gt=OuterRef("generation"))
    refused = Delivery.objects.filter(
        ~Exists(following), state=State.DEAD, state_reason=Reason.WINDOW_CLOSED, finished_at__gt=Now() - LATELY
    )
    rows = refused.select_related("event__wedding").order_by("finished_at")
    return sum(send_as_template(row) for row in rows[:1000])


def _free_text(content: Content) -> str:
    """If it is too long, the longest facts are cut, so that a number to call stays complete."""
    head, about = f"*{content.headline.replace('*', '')}*", content.about[:500]
    facts = [fact.line for fact in content.facts]
    page = f"{content.couple_page[0]}: {content.couple_page[1]}" if content.couple_page else ""
    room = LONGEST_TEXT - len(head) - len(about) - len(facts) - 5 - (LONGEST_LINK if page else 0)
    return "\n".join([head, "", *fit(facts, room), "", about, page]).strip()


def _template(approved: Approved) -> dict[str, Any]:
    components: list[dict[str, Any]] = [
        {"type": "body", "parameters": [{"type": "text", "text": value} for value in approved.parameters]}
    ]
    for place, button in enumerate(approved.buttons):
        if button["type"] == "quick_reply":
            payload = {"type": "payload", "payload": links.ACKNOWLEDGE_TOKEN}
            components.append(
                {"type": "button", "sub_type": "quick_reply", "index": str(place), "parameters": [payload]}
            )
    return {"name": approved.name, "language": {"code": approved.language}, "components": components}
