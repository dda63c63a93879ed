"""What a channel to people is. A new one is a file or a folder next to this one (see CONTRIBUTING.md).

Implement :meth:`PersonChannel.compose`, :meth:`PersonChannel.call` and :meth:`PersonChannel.classify`, and
:meth:`PersonChannel.provider_id` if the provider gives one; leave the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.utils import timezone

from integrations import admission
from integrations.accounts.rules import AccountRules
from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    OurFault,
    RecipientComplained,
    RecipientStopped,
    Undeliverable,
)
from integrations.models import Delivery, System
from integrations.outbound import Call, Request, Response, check_status, send
from integrations.registry.senders import Blocked, RequestPreview, Sending
from integrations.rules import transforms
from integrations.systems import lifecycle
from integrations.systems.trials import HarmlessCall
from notifications import follow_up, links, wording
from notifications.channels import subjects
from notifications.consent import address_marks
from notifications.models import Message
from notifications.recipients import send_checks
from notifications.trace import recording, statuses
from notifications.wording.writing import LONGEST_HEADLINE
from wedsync.queues import Priority
from wedsync.weddings import personal_links
from wedsync.weddings.models import ContactChannel

LATELY = timedelta(hours=1)
"""A status may arrive days late. What it says about the account, a template or the rate was true at that time."""
EXAMPLE_RECIPIENT = "Katharina Berger"


@dataclass(frozen=True)
class Composed:
    """A message laid out for a channel: what a person reads, and the provider's request."""

    request: Request
    subject: str
    text: str
    html: str = ""


class PersonChannel(ABC, AccountRules):
    """A :class:`integrations.registry.senders.Sender` that stores what it sends as a message.

    Its name is also the kind of its systems, so it defines their credentials and how fast they may be called.
    """

    channel: ClassVar[ContactChannel]
    status_when_accepted: ClassVar[Message.Status] = Message.Status.QUEUED
    may_bounce_when_delivered: ClassVar[bool] = False
    """Whether a bounce may follow a delivery, as with email; a phone that has shown a message has received it."""
    longest_headline: ClassVar[int] = LONGEST_HEADLINE

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """Most providers have no idempotency keys."""
        return True

    def render(self, delivery: Delivery) -> Request:
        """Write the message, lay it out, and store it."""
        composed = self._composed(delivery)
        if delivery.contact and links.COUPLE_URL in composed.request.body:
            personal_links.issue(delivery.contact, delivery.id)
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

    def preview(self, delivery: Delivery) -> RequestPreview:
        """Write it and lay it out, without storing anything."""
        composed = self._composed(delivery)
        return RequestPreview(composed.request, composed.subject, composed.text)

    def _composed(self, delivery: Delivery) -> Composed:
        try:
            content = wording.write(subjects.of(delivery))
            if delivery.shaped_by and (transform := delivery.shaped_by.transform):
                content = wording.reworded(content, transforms.apply(transform, delivery.event))
            return self.compose(content, delivery)
        except ValueError as error:
            raise OurFault(str(error)) from error

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """Why it must not be sent now: the person, the address, the preferences or the hour may have changed."""
        return send_checks.blocked(delivery)

    def outdated(self, delivery: Delivery) -> str:
        """Most frozen messages contain nothing that could change."""
        return ""

    def replaced(self, delivery: Delivery, because: str) -> None:
        """Record it in the trace."""
        recording.note(delivery, recording.What.FELL_BACK, f"it is sent again: {because}")

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """Add the URL, the credentials and the delivery's own links."""
        filled = replace(request, body=links.fill(request.body, delivery))
        call = self.call(delivery, filled, credentials_of(delivery))
        return lambda deadline: send(call, deadline=deadline)

    def judge(self, response: Response) -> str:
        """The provider's id of the message.

        Raises:
            DeliveryError: by the provider's own codes, otherwise by the status.
        """
        error = self.classify(response)
        if error is not None:
            raise error
        check_status(response)
        return self.provider_id(response)

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Store the provider's id."""
        rows = Message.objects.filter(delivery=delivery)
        rows.update(provider_id=provider_id[:200])
        statuses.merge(rows, self.status_when_accepted, timezone.now())
        taken = f"{self.channel.label} accepted it" + (f", with the id {provider_id}" if provider_id else "")
        taken += f", in {cost}" if (cost := self.cost(delivery)) else ""
        recording.note(delivery, recording.What.SENT, taken)
        follow_up.after_delivery(delivery)

    def cost(self, delivery: Delivery) -> str:
        """What the provider charges for, in words for the trace, such as ``2 segments``; empty: nothing to be said."""
        return ""

    def answered(self, delivery: Delivery, response: Response) -> None:
        """Most answers say no more than the provider's id."""

    def failed(self, delivery: Delivery, error: DeliveryError) -> None:
        """Record what an error says about the address; most concern only this message."""
        self.noted(delivery, error)
        self.mark_address(delivery, error)

    def mark_address(self, delivery: Delivery, error: DeliveryError) -> None:
        """Record on the address that nothing arrives there or its owner wants nothing, as the provider says."""
        of = (delivery.organization_id, self.channel, delivery.target, timezone.now())
        if isinstance(error, Undeliverable):
            address_marks.bounced(*of, str(error))
        elif isinstance(error, RecipientStopped):
            address_marks.opted_out(*of, by=str(error))
        elif isinstance(error, RecipientComplained):
            address_marks.complained(*of)

    def failed_late(self, delivery: Delivery, error: DeliveryError, at: datetime) -> None:
        """A status says why an accepted message failed. What it says beyond this message counts for an hour.

        Arguments:
            at: the provider's time of the status, which may arrive days late.
        """
        if at < timezone.now() - LATELY:
            return
        self.noted(delivery, error)
        if pause := admission.pause_of(error):
            admission.begin_pause(admission.lane_of(delivery.system), pause)
        if isinstance(error, CredentialsRefused):
            lifecycle.stop_system(delivery.system, System.Status.PAUSED, error.reason)

    def noted(self, delivery: Delivery, error: DeliveryError) -> None:
        """Record what an error says beyond its message and its address, for instance about a template."""

    def window_closed(self, delivery: Delivery) -> None:
        """A status says that free text is no longer accepted; most channels have no such limit."""

    def overlong(self, lines: Sequence[str], locale: str, *, alone: bool) -> str:
        """What would be cut off here of a template that was rendered with an example, as a sentence; empty: nothing.

        Arguments:
            alone: the template is for this channel only.
        """
        return ""

    def status_wait(self, delivery: Delivery) -> float | None:
        """Most providers report nothing about a message whose answer was lost."""
        return None

    def harmless_call(self, system: System) -> HarmlessCall | None:
        """The call that tries a system's credentials; ``None``: the provider has none that is free of effects.

        Raises:
            DeliveryError: a credential is missing or cannot be used.
        """
        return None

    @abstractmethod
    def compose(self, content: wording.Content, delivery: Delivery) -> Composed:
        """Lay the content out."""

    @abstractmethod
    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The whole call."""

    @abstractmethod
    def classify(self, response: Response) -> DeliveryError | None:
        """The error that the provider's own codes mean; ``None`` if its status says everything."""

    def provider_id(self, response: Response) -> str:
        """The provider's id in an answer that accepts the message."""
        return ""


class _Credentials(dict[str, str]):
    """A system's credentials; a missing one is our own fault, and named in the error."""

    def __init__(self, system: System) -> None:
        super().__init__(system.credentials)
        self._system = system

    def __missing__(self, name: str) -> str:
        raise OurFault(f"the credentials of “{self._system.name}” lack {name}")


def usual_status_wait(delivery: Delivery) -> float:
    """Seconds to wait for a status, if the channel's provider reports one even when its answer was lost."""
    urgent = delivery.priority == Priority.URGENT
    return settings.URGENT_STATUS_WAIT_SECONDS if urgent else settings.STATUS_WAIT_SECONDS


def credentials_in(system: System) -> dict[str, str]:
    """A system's credentials; reading one that is missing raises ``OurFault``."""
    return _Credentials(system)


def credentials_of(delivery: Delivery) -> dict[str, str]:
    """The credentials of the delivery's system; reading one that is missing raises ``OurFault``."""
    return _Credentials(delivery.system)
