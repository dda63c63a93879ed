"""An email in a form independent of any provider: it is frozen, and every attempt is built from it."""

import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from anymail.message import AnymailMessage

from integrations.errors import OurFault
from integrations.models import Delivery
from notifications.channels.email.sender import EmailSender

_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Mail:
    """One email to one address. The sender is added in each attempt.

    Arguments:
        sender_digest: of the sender for whom it was written.
        kept_sender: the mailbox and reply-to in emails that were frozen before senders were left out of them.
    """

    to: str
    subject: str
    html: str
    text: str
    sender_digest: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    kept_sender: tuple[str, str] | None = None

    def as_body(self) -> str:
        """For the delivery's row."""
        body: dict[str, Any] = {"to": [self.to], "subject": self.subject, "html": self.html, "text": self.text}
        body["sender_digest"] = self.sender_digest
        if self.headers:
            body["headers"] = self.headers
        return json.dumps(body)

    @classmethod
    def from_body(cls, stored: str) -> "Mail":
        """From the delivery's row."""
        body = json.loads(stored)
        return cls(
            to=body["to"][0],
            subject=body["subject"],
            html=body["html"],
            text=body["text"],
            sender_digest=body.get("sender_digest", ""),
            headers=body.get("headers", {}),
            kept_sender=(body["from"], body.get("reply_to", "")) if "from" in body else None,
        )

    def is_from(self, sender: EmailSender) -> bool:
        """Whether it was written for this sender, so that its bytes are the same."""
        if self.kept_sender is not None:
            return self.kept_sender == (sender.mailbox, sender.reply_to)
        return self.sender_digest == sender.digest

    def for_anymail(self, sender: EmailSender) -> AnymailMessage:
        """The email as django-anymail needs it."""
        message = AnymailMessage(
            subject=self.subject,
            body=self.text,
            from_email=sender.mailbox,
            to=[self.to],
            reply_to=[sender.reply_to] if sender.reply_to else None,
            headers=dict(self.headers),
        )
        message.attach_alternative(self.html, "text/html")
        return message

    def for_smtp(self, delivery: Delivery, sender: EmailSender) -> bytes:
        """The email as sent: the same bytes each time, in 7 bits and with lines that every server accepts.

        Raises:
            OurFault: the sender is not an email address.
        """
        message = EmailMessage(policy=_POLICY)
        try:
            message["From"], message["To"], message["Subject"] = sender.mailbox, self.to, self.subject
            if sender.reply_to:
                message["Reply-To"] = sender.reply_to
            message["Date"] = format_datetime(delivery.created_at)
            message["Message-ID"] = message_id(delivery.id, sender)
        except (ValueError, IndexError) as error:
            raise OurFault("an address or a header of the email cannot be written") from error
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        message.set_boundary(f"=_{delivery.id.hex}")
        # Written unchanged: the library would fold and encode a long link, so that programs could not read it.
        return _raw(self.headers) + message.as_bytes()


def _raw(headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if not lines.isascii() or lines.count("\n") != len(headers):
        raise OurFault("a header of the email cannot be written")
    return lines.encode("ascii")


def message_id(delivery_id: UUID, sender: EmailSender) -> str:
    """Our own id of an email, by which a mail server that receives it twice sees that it is the same.

    Raises:
        OurFault: the sender is not an email address.
    """
    return f"<{delivery_id}@{sender.address.rpartition('@')[2]}>"
