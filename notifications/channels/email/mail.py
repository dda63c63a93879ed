"""A mail in a form that belongs to no provider: what is frozen, and what every try is built from."""

import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import UUID

from anymail.message import AnymailMessage

from integrations.errors import OurFault
from integrations.models import Delivery

_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Mail:
    """One mail to one address. ``sender``, ``reply_to``: ``a@b`` or ``Name <a@b>``; ``reply_to`` may be empty."""

    sender: str
    to: str
    subject: str
    html: str
    text: str
    reply_to: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def as_body(self) -> str:
        """For the delivery's row."""
        body: dict[str, Any] = {"from": self.sender, "to": [self.to], "subject": self.subject}
        body |= {"html": self.html, "text": self.text}
        if self.reply_to:
            body["reply_to"] = self.reply_to
        if self.headers:
            body["headers"] = self.headers
        return json.dumps(body)

    @classmethod
    def from_body(cls, stored: str) -> "Mail":
        """From the delivery's row."""
        body = json.loads(stored)
        return cls(
            sender=body["from"],
            to=body["to"][0],
            subject=body["subject"],
            html=body["html"],
            text=body["text"],
            reply_to=body.get("reply_to", ""),
            headers=body.get("headers", {}),
        )

    def for_anymail(self) -> AnymailMessage:
        """As django-anymail takes it."""
        message = AnymailMessage(
            subject=self.subject,
            body=self.text,
            from_email=self.sender,
            to=[self.to],
            reply_to=[self.reply_to] if self.reply_to else None,
            headers=dict(self.headers),
        )
        message.attach_alternative(self.html, "text/html")
        return message

    def for_smtp(self, delivery: Delivery) -> bytes:
        """As it goes over the wire; the same bytes each time, of 7 bits and with lines that every server takes.

        Raises:
            OurFault: the sender is no mail address.
        """
        message = EmailMessage(policy=_POLICY)
        try:
            message["From"], message["To"], message["Subject"] = self.sender, self.to, self.subject
            if self.reply_to:
                message["Reply-To"] = self.reply_to
            message["Date"] = format_datetime(delivery.created_at)
            message["Message-ID"] = message_id(delivery.id, self.sender)
        except (ValueError, IndexError) as error:
            raise OurFault("an address or a header of the mail can not be written") from error
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        message.set_boundary(f"=_{delivery.id.hex}")
        # Written as they are: the library would fold and encode a long link, which programs could not read then.
        return _raw(self.headers) + message.as_bytes()


def _raw(headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if not lines.isascii() or lines.count("\n") != len(headers):
        raise OurFault("a header of the mail can not be written")
    return lines.encode("ascii")


def address_of(sender: str) -> str:
    """The bare address of a sender.

    Raises:
        OurFault: there is none.
    """
    address = parseaddr(sender)[1]
    if "@" not in address:
        raise OurFault("the sender in the system's credentials is no mail address")
    return address


def message_id(delivery_id: UUID, sender: str) -> str:
    """Our own id of a mail, which tells a mail server that takes it twice that it is the same."""
    return f"<{delivery_id}@{address_of(sender).rpartition('@')[2]}>"
