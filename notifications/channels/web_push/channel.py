"""Web Push: one message to one browser, encrypted for it, through the push service that the browser names.

RFC 8030, 8291, 8292. A push service reports nothing after accepting a message, so nothing here shows that anybody saw
it; plans therefore never rely on it (:class:`wedsync.weddings.addresses.Evidence`). docs/adr/0110, 0111.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from pywebpush import WebPusher

from integrations.accounts.rules import Rate
from integrations.errors import (
    DeliveryError,
    EndpointFailed,
    NetworkError,
    NoRoom,
    PairThrottled,
    RecipientRefused,
    TimedOut,
    Undeliverable,
)
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response, send
from integrations.registry.senders import Blocked, Sending
from integrations.states import Reason
from notifications import links
from notifications.channels.base import Composed, PersonChannel, credentials_of
from notifications.channels.web_push import answers, endpoint_pauses, endpoints, keys, payload, subscriptions
from notifications.channels.web_push.answers import Answer
from notifications.channels.web_push.subscriptions import Subscription
from notifications.models import Message
from notifications.rules.merging import subject_of
from notifications.wording import Content
from wedsync.queues import Priority
from wedsync.weddings.models import ContactChannel

LONGEST_LINK = 1500  # bytes; a longer one would leave no room for the text
TOPIC_LENGTH = 32  # characters: RFC 8030, 5.4
_URGENCY = {Priority.LOW: "low", Priority.NORMAL: "normal", Priority.HIGH: "high", Priority.URGENT: "high"}
_TOLD = ("retry-after", "date")


class WebPush(PersonChannel):
    """One message to one browser."""

    channel = ContactChannel.WEB_PUSH
    status_when_accepted = Message.Status.SENT
    published_rate = Rate(50, 50)  # push services publish none; they answer 429 to more than they like

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """A repetition has the same topic and tag: it replaces the first, at the push service and on the screen."""
        return False

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """What blocks it on any channel, or its endpoint's pause. A subscription whose link has ended goes."""
        found = super().blocked(delivery)
        if found and found.reason == Reason.NO_ADDRESS and delivery.contact:
            subscriptions.end_with_their_links(delivery.contact)
        if found is None and (wait := endpoint_pauses.left(delivery)):
            return Blocked(Reason.PAIR_LIMITED, timezone.now() + timedelta(seconds=wait))
        return found

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """The payload before encryption, which needs the subscription's keys and is done for each try."""
        topic = topic_of(delivery)
        link = _link(content)
        text = payload.payload_of(content, tag=topic, link=link, filled=partial(links.fill, delivery=delivery))
        headers = {"Urgency": _URGENCY[Priority(delivery.priority)], "Topic": topic}
        return Composed(Request("POST", "", text, headers), content.headline, _shown(text))

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """The answer is kept without the endpoint, which some push services repeat in it."""
        filled = replace(request, body=_short_enough(links.fill(request.body, delivery), delivery))
        call = self.call(delivery, filled, credentials_of(delivery))
        return lambda deadline: _answer(delivery, call, deadline)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The subscription's own URL, the encrypted payload, and a VAPID token for this push service."""
        found = _subscription(delivery)
        to = {"endpoint": found.endpoint, "keys": {"p256dh": found.p256dh, "auth": found.auth}}
        headers = {
            **request.headers,
            "TTL": str(max(0, int((delivery.expires_at - timezone.now()).total_seconds()))),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": keys.authorization(found.endpoint),
        }
        return Call(request.method, found.endpoint, WebPusher(to).encode(request.body.encode())["body"], headers)

    def classify(self, response: Response) -> DeliveryError | None:
        """Push services have no codes in common beside the statuses of RFC 8030."""
        return answers.error_of(response)

    def answered(self, delivery: Delivery, response: Response) -> None:
        """The endpoint works."""
        subscriptions.note_success(delivery.organization_id, delivery.target)

    def mark_address(self, delivery: Delivery, error: DeliveryError) -> None:
        """A subscription that has ended, or whose endpoint has failed for long, is removed; one may be paused."""
        if isinstance(error, Undeliverable):
            subscriptions.end(delivery.organization_id, delivery.target)
        elif isinstance(error, EndpointFailed):
            subscriptions.note_failure(delivery.organization_id, delivery.target)
        elif isinstance(error, PairThrottled) and error.retry_after:
            endpoint_pauses.begin(delivery, error.retry_after)


def topic_of(delivery: Delivery) -> str:
    """What a later message replaces while nobody has seen it: what the event changes, else the delivery alone."""
    event = delivery.event
    try:
        subject = subject_of(event.type, event.payload, str(event.source_system_id or ""))
    except KeyError:  # an event from before today's schema
        subject = ""
    about = f"{event.wedding_id}:{subject}" if subject else str(delivery.id)
    return urlsafe_b64encode(hashlib.sha256(about.encode()).digest()).decode()[:TOPIC_LENGTH]


def _link(content: Content) -> str:
    """What a tap opens: the acknowledgement, the message's own page, the couple's, or ours."""
    if content.asks:
        return links.ACKNOWLEDGE_URL
    for page in (content.link, content.couple_page):
        if page and len(page[1].encode()) <= LONGEST_LINK:
            return page[1]
    return f"{settings.PUBLIC_URL}/"


def _shown(text: str) -> str:
    """The message as a person reads it."""
    notification = json.loads(text)["notification"]
    return f"{notification['title']}\n\n{notification.get('body', '')}".strip()


def _short_enough(text: str, delivery: Delivery) -> str:
    """Half as long for each time that the push service found it too long."""
    refused = delivery.attempts.filter(status_code=answers.TOO_LONG).count()
    return payload.shortened(text, max(payload.LARGEST >> refused, payload.SMALLEST)) if refused else text


def _subscription(delivery: Delivery) -> Subscription:
    found = subscriptions.of(delivery.contact_id, delivery.target)
    if found is None:
        raise RecipientRefused("the subscription has ended")
    if found.key != keys.public_key():
        raise RecipientRefused("the subscription was made for an earlier key of ours; their browser will renew it")
    try:
        endpoints.check(found.endpoint)
    except ValueError as error:
        raise RecipientRefused(f"the endpoint may not be called: {error}") from error
    return found


def _answer(delivery: Delivery, call: Call, deadline: float) -> Response:
    """Make the call. An endpoint that cannot be reached is a fault of this endpoint alone."""
    try:
        response = _without_endpoint(send(call, deadline=deadline), call.url)
    except NoRoom:
        raise
    except (NetworkError, TimedOut) as error:
        raise EndpointFailed(str(error), reason=error.reason, outcome=error.outcome) from error
    if not answers.refuses_keys(response):
        return response
    refused = answers.was_refused_elsewhere(delivery, response.status)
    return Answer(response.status, response.headers, response.body, keys_refused=refused)


def _without_endpoint(response: Response, endpoint: str) -> Response:
    kept = {name: value for name, value in response.headers.items() if name in _TOLD}
    parts, text = urlsplit(endpoint), response.text
    for secret in (endpoint, parts.path, parts.path.rpartition("/")[2], parts.query):
        text = text.replace(secret, "…") if len(secret) > 1 else text
    return Response(response.status, kept, text.encode())
