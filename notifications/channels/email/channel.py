"""Email: HTML and plain text, one recipient per email.

An email is frozen without a provider's format and without a sender (``mail``). Each attempt adds the sender and turns
it into the bytes for the provider that the system's credentials name: one with an HTTP API (``providers``), or a mail
server (``smtp``). docs/staff/email.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from integrations.accounts.rules import Rate, ReadCredentials
from integrations.errors import DeliveryError
from integrations.models import Delivery, System
from integrations.outbound import Call, Request, Response
from integrations.registry.senders import Sending
from integrations.systems.trials import HarmlessCall
from notifications import links
from notifications.channels.base import Composed, PersonChannel, credentials_in, credentials_of
from notifications.channels.email import account, calling, layout, providers, smtp, trial
from notifications.channels.email.answers import MailAnswer, resend_error, resend_id
from notifications.channels.email.mail import Mail, message_id
from notifications.channels.email.sender import DEFAULT, EmailSender, provider_of
from notifications.models import Message
from notifications.wording import Content
from wedsync.env import ConfigurationError
from wedsync.live.event_types.catalogue import Category, type_of
from wedsync.queues import Priority
from wedsync.weddings.models import ContactChannel

_UNSUBSCRIBE = {
    "List-Unsubscribe": f"<{links.UNSUBSCRIBE_URL}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


class Email(PersonChannel):
    """One email to one address."""

    credentials = account.CREDENTIALS
    judged_together = ("host", "port", "tls", "provider")
    channel = ContactChannel.EMAIL
    status_when_accepted = Message.Status.SENT
    may_bounce_when_delivered = True

    def rate(self, credentials: ReadCredentials) -> Rate | None:
        """The rate that the provider in use publishes."""
        return account.RATES.get(provider_of(credentials()))

    def needed(self, values: Mapping[str, str]) -> Sequence[str]:
        """Each provider requires its own credentials."""
        return account.needed(values)

    def check_together(self, values: Mapping[str, str | None]) -> None:
        """For SMTP, the server's host, port and encryption must be allowed together."""
        account.check_mail_server(values)

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Lay out HTML and text; only a digest of the sender is stored.

        A contact can unsubscribe with one click from everything that is not urgent (RFC 8058); alerts to staff have no
        such link.
        """
        sender = EmailSender.of(credentials_of(delivery))
        urgent = delivery.priority == Priority.URGENT
        leaving = delivery.contact_id is not None and not urgent
        emergency = type_of(delivery.event.type).category == Category.EMERGENCIES
        look = layout.Look(urgent, leaving, calling.numbers(delivery) if emergency else ())
        mail = Mail(
            to=delivery.target,
            subject=content.headline,
            html=layout.html(content, look),
            text=layout.text(content, look),
            sender_digest=sender.digest,
            headers=({"X-Priority": "1", "Importance": "high"} if urgent else {}) | (_UNSUBSCRIBE if leaving else {}),
        )
        request = Request("POST", "/emails", mail.as_body(), {"Content-Type": "application/json"})
        return Composed(request, mail.subject, mail.text, mail.html)

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """Only Resend has idempotency keys; if the provider is unknown, the worse is assumed."""
        try:
            return provider_of(credentials_of(delivery)) != DEFAULT
        except ConfigurationError:
            return True

    def outdated(self, delivery: Delivery) -> str:
        """Another sender means other bytes, which Resend refuses under a key that it has seen.

        If the sender cannot be determined, the attempt reports why.
        """
        try:
            sender = EmailSender.of(credentials_of(delivery))
        except (ConfigurationError, DeliveryError):
            return ""
        frozen = Request.from_json(delivery.request or {})
        return "" if Mail.from_body(frozen.body).is_from(sender) else "the sender of its system has changed"

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """Add the delivery's own links and the sender, and write the email in its provider's format."""
        request = replace(request, body=links.fill(request.body, delivery))
        credentials = credentials_of(delivery)
        if provider_of(credentials) == account.SMTP:
            return _by_smtp(Mail.from_body(request.body), delivery, credentials)
        return self._prepared(delivery, request, credentials).send

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The call to a provider with an HTTP API; Resend's has the delivery's id as its key in every attempt."""
        return self._prepared(delivery, request, credentials).call

    @staticmethod
    def _prepared(delivery: Delivery, request: Request, credentials: dict[str, str]) -> providers.PreparedMail:
        return providers.prepare(Mail.from_body(request.body), EmailSender.of(credentials), delivery, credentials)

    def classify(self, response: Response) -> DeliveryError | None:
        """The meaning of the provider's own codes."""
        return response.error if isinstance(response, MailAnswer) else resend_error(response)

    def harmless_call(self, system: System) -> HarmlessCall | None:
        """The call of the provider that its credentials name."""
        return trial.harmless_call(system, credentials_in(system))

    def provider_id(self, response: Response) -> str:
        """The provider's id of the email."""
        return response.provider_id if isinstance(response, MailAnswer) else resend_id(response)


def _by_smtp(mail: Mail, delivery: Delivery, credentials: dict[str, str]) -> Sending:
    server, sender = smtp.Server.of(credentials), EmailSender.of(credentials)
    message, ours = mail.for_smtp(delivery, sender), message_id(delivery.id, sender)
    hand_in = partial(smtp.send, server, sender.address, mail.to, message)

    def send(deadline: float) -> Response:
        return replace(hand_in(deadline=deadline), provider_id=ours)

    return send
