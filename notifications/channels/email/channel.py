"""Email: HTML and plain text, one recipient per mail.

What is frozen is a mail that belongs to no provider (``mail``). Each try turns it into the bytes of the provider that
the system's credentials name: one with an HTTP API (``providers``), or a mail server (``smtp``). docs/email.md.
"""

from dataclasses import replace
from functools import partial

from integrations.errors import DeliveryError
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response
from integrations.targets import Sending
from notifications import links
from notifications.channels.base import Composed, PersonChannel, credentials_of
from notifications.channels.email import calling, layout, providers, smtp
from notifications.channels.email.answers import Answer, resend_error, resend_id
from notifications.channels.email.mail import Mail, address_of, message_id
from notifications.models import Message
from notifications.wording import Content
from wedsync.env import ConfigurationError
from wedsync.live.catalogue import CATALOGUE, Category
from wedsync.queues import Priority
from wedsync.weddings.models import Channel

SMTP = "smtp"
_UNSUBSCRIBE = {
    "List-Unsubscribe": f"<{links.UNSUBSCRIBE_URL}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


class Email(PersonChannel):
    """One mail to one address."""

    channel = Channel.EMAIL
    status_when_accepted = Message.Status.SENT

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Lay out HTML and text; sender and address for answers belong to the system.

        A contact can stop whatever is not urgent by one click (RFC 8058); staff's own alerts have no such link.
        """
        credentials = credentials_of(delivery)
        urgent = delivery.priority == Priority.URGENT
        leaving = delivery.contact_id is not None and not urgent
        emergency = CATALOGUE[delivery.event.type].category == Category.EMERGENCIES
        look = layout.Look(urgent, leaving, calling.numbers(delivery) if emergency else ())
        mail = Mail(
            sender=credentials["from"],
            to=delivery.target,
            subject=content.headline,
            html=layout.html(content, look),
            text=layout.text(content, look),
            reply_to=credentials.get("reply_to", ""),
            headers=({"X-Priority": "1", "Importance": "high"} if urgent else {}) | (_UNSUBSCRIBE if leaving else {}),
        )
        request = Request("POST", "/emails", mail.as_body(), {"Content-Type": "application/json"})
        return Composed(request, mail.subject, mail.text, mail.html)

    def marks_resends(self, delivery: Delivery) -> bool:
        """Only Resend knows an idempotency key; where it can not be told, the worse is taken."""
        try:
            return _provider(credentials_of(delivery)) != providers.DEFAULT
        except ConfigurationError:
            return True

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """Put the delivery's own links in, and write the mail as its provider takes it."""
        request = replace(request, body=links.fill(request.body, delivery))
        credentials = credentials_of(delivery)
        if _provider(credentials) == SMTP:
            return _by_smtp(Mail.from_body(request.body), delivery, credentials)
        return self._prepared(delivery, request, credentials).send

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The call to a provider with an HTTP API; Resend's has the delivery's id as its key on every try."""
        return self._prepared(delivery, request, credentials).call

    @staticmethod
    def _prepared(delivery: Delivery, request: Request, credentials: dict[str, str]) -> providers.Prepared:
        return providers.prepare(_provider(credentials), Mail.from_body(request.body), delivery, credentials)

    def classify(self, response: Response) -> DeliveryError | None:
        """What the provider's own codes stand for."""
        return response.error if isinstance(response, Answer) else resend_error(response)

    def provider_id(self, response: Response) -> str:
        """The provider's id of the mail."""
        return response.provider_id if isinstance(response, Answer) else resend_id(response)


def _provider(credentials: dict[str, str]) -> str:
    return (credentials.get("provider") or providers.DEFAULT).strip().lower()


def _by_smtp(mail: Mail, delivery: Delivery, credentials: dict[str, str]) -> Sending:
    server, sender = smtp.Server.of(credentials), address_of(mail.sender)
    message, ours = mail.for_smtp(delivery), message_id(delivery.id, mail.sender)
    hand_in = partial(smtp.send, server, sender, mail.to, message)

    def send(deadline: float) -> Response:
        return replace(hand_in(deadline=deadline), provider_id=ours)

    return send
