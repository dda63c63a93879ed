"""What a channel to people is. A new one is one file beside this one (see CONTRIBUTING.md).

Implement :meth:`PersonChannel.compose`, :meth:`PersonChannel.call` and :meth:`PersonChannel.judge`; leave the rest.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from integrations.errors import OurFault
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response
from notifications import wording
from notifications.models import Message
from wedsync.weddings.models import Channel


@dataclass(frozen=True)
class Composed:
    """A message laid out for a channel: what a person reads, and the provider's request."""

    request: Request
    subject: str
    text: str
    html: str = ""


class PersonChannel(ABC):
    """A :class:`integrations.targets.Sender` that keeps what it sends as a message."""

    channel: ClassVar[Channel]
    resends_marked: bool = False
    status_when_accepted: ClassVar[Message.Status] = Message.Status.QUEUED

    def render(self, delivery: Delivery) -> Request:
        """Write the message, lay it out, and keep it."""
        try:
            composed = self.compose(wording.write(delivery.event, delivery.contact), delivery)
        except ValueError as error:
            raise OurFault(str(error)) from error
        Message.objects.update_or_create(
            delivery=delivery,
            defaults={
                "organization_id": delivery.organization_id,
                "channel": self.channel,
                "address": delivery.target,
                "subject": composed.subject,
                "text": composed.text,
                "html": composed.html,
            },
        )
        return composed.request

    def prepare(self, delivery: Delivery, request: Request) -> Call:
        """Add the URL and the credentials."""
        credentials = delivery.system.credentials
        try:
            return self.call(delivery, request, credentials)
        except KeyError as error:
            raise OurFault(f"the credentials of “{delivery.system.name}” lack {error.args[0]}") from error

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Note the provider's id."""
        Message.objects.filter(delivery=delivery).update(provider_id=provider_id, status=self.status_when_accepted)

    @abstractmethod
    def compose(self, content: wording.Content, delivery: Delivery) -> Composed:
        """Lay the content out."""

    @abstractmethod
    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The whole call; a missing credential may raise ``KeyError``."""

    @abstractmethod
    def judge(self, response: Response) -> str:
        """The provider's id of the message.

        Raises:
            DeliveryError: by the provider's own codes.
        """
