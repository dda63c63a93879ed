"""Deliveries to other systems: the call, its address, and its authentication."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from integrations.errors import DeliveryError, OurFault
from integrations.models import Attempt, Delivery, ExternalReference, Route, System
from integrations.outbound import Call, Request, Response, check_status, send
from integrations.references import clients
from integrations.registry import senders, targets
from integrations.registry.accounts import register_account
from integrations.registry.senders import Blocked, RequestPreview, Sending
from integrations.registry.targets import PlannedDelivery
from integrations.remote_reads.asking import ask
from integrations.rules import deadlines, event_filters
from integrations.signatures import standard_webhooks
from integrations.states import Outcome
from integrations.system_channel import call_facts
from integrations.system_channel.shaping import shaped
from integrations.systems import signing_secrets
from integrations.vendors import CALLED
from integrations.vendors.base import Client, Outgoing
from integrations.vendors.families import BOOKINGS, CLIENTS
from wedsync.live.event_types.catalogue import is_custom
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

LONGEST_ID = 200  # the most that an external reference holds
NO_USABLE_ID = (
    "Accepted, but the answer has no usable id (text of 1 to 200 characters, or a number, in “id”). Later calls "
    "cannot refer to the new record. Ask the other side for its id, and add it as an external reference of the system."
)


def register() -> None:
    """Fill in the registry."""
    targets.register_target(Route.Target.SYSTEM, expand)
    senders.register_channel(senders.SYSTEM_CHANNEL, SystemSender())
    for kind, called in CALLED.items():
        register_account(kind, called)


def expand(route: Route, event: ChannelEvent, _priority: Priority) -> Iterable[PlannedDelivery]:
    """One delivery, if the system has a call for this event.

    A booking goes to another system only by a route that names its type: two systems may hold unrelated bookings of one
    wedding, and only staff know.
    """
    system = route.system
    if system is None or (system.id == event.source_system_id and not route.echo):
        return
    if _must_be_named(system, event) and not _names(route, event):
        return
    if call_for(system, event) is not None:
        yield PlannedDelivery(Route.Target.SYSTEM, str(system.id), senders.SYSTEM_CHANNEL, system)


def _must_be_named(system: System, event: ChannelEvent) -> bool:
    return event.type.startswith("booking.") and system.kind != System.Kind.WEBHOOK


def _names(route: Route, event: ChannelEvent) -> bool:
    return any(event_filters.accepts([name], event.type) for name in route.event_types if name != "*")


def call_for(system: System, event: ChannelEvent) -> Request | None:
    """The call that a system would get for an event now, if any. Makes no request."""
    outgoing = outgoing_to(system, event)
    return CALLED[system.kind].outbound(outgoing) if outgoing else None


def outgoing_to(system: System, event: ChannelEvent, delivery_id: UUID | None = None) -> Outgoing | None:
    """The input of a call to a system; ``None``: the system has no such call, or does not know the wedding.

    Arguments:
        delivery_id: for signed webhooks, whose sequence counts on the channel on which the route matched.
    """
    called = CALLED.get(system.kind)
    if called is None:
        return None
    place = call_facts.look_up(system.id, event, delivery_id)
    if place.booking_id is None and not (event.type in called.needs_no_booking or is_custom(event.type)):
        return None
    name = place.matched_channel if system.kind == System.Kind.WEBHOOK else ""
    name = name or f"supplier:dashboard:{system.id}"
    sequence = place.sequences.get(name)
    client = clients.client_for(system, event) if event.type == "client.updated" and called.lists_clients else None
    return Outgoing(event, place.booking_id, sequence, name if sequence is not None else None, client)


class SystemSender:
    """Bearer token, ``Idempotency-Key``, Standard Webhooks: docs/vendors/README.md, "Calls that you receive"."""

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """Every call to a system has a key."""
        return False

    def render(self, delivery: Delivery) -> Request:
        """See :class:`integrations.registry.senders.Sender`.

        Raises:
            DeliveryError: the system was asked whether it knows a client, and did not answer.
        """
        system, event = delivery.system, delivery.event
        outgoing = outgoing_to(system, event, delivery.id)
        if outgoing is not None and outgoing.client is not None:
            outgoing = replace(outgoing, client=_found(system, event, outgoing.client))
        request = _made(system, outgoing) if outgoing else None
        if request is None:
            raise OurFault("the system no longer has a call for this event: its kind or its reference has changed")
        return shaped(request, delivery) if delivery.shaped_by else request

    def preview(self, delivery: Delivery) -> RequestPreview:
        """See :class:`integrations.registry.senders.Sender`. Makes no request."""
        request = call_for(delivery.system, delivery.event)
        if request is None:
            raise OurFault("the system has no call for this event")
        return RequestPreview(shaped(request, delivery) if delivery.shaped_by else request)

    def prepare(self, delivery: Delivery, request: Request) -> Call:
        """The whole call. The delivery's id is the key, so retries carry the same one."""
        credentials, body = delivery.system.credentials, request.body.encode()
        headers = {**request.headers, "Idempotency-Key": str(delivery.id)}
        if token := credentials.get("access_token"):
            headers["Authorization"] = f"Bearer {token}"
        if secrets := signing_secrets.in_force(credentials):
            try:
                headers |= standard_webhooks.headers(secrets, str(delivery.id), int(time.time()), body)
            except ValueError as error:
                raise OurFault(str(error)) from error
        return Call(request.method, delivery.system.base_url.rstrip("/") + request.path, body, headers)

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """See :class:`integrations.registry.senders.Sender`. Nothing blocks a system's address."""
        return None

    def outdated(self, delivery: Delivery) -> str:
        """See :class:`integrations.registry.senders.Sender`. The bytes contain nothing of ours that could change."""
        return ""

    def replaced(self, delivery: Delivery, because: str) -> None:
        """See :class:`integrations.registry.senders.Sender`."""

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """See :class:`integrations.registry.senders.Sender`."""
        call = self.prepare(delivery, request)
        return lambda deadline: send(call, deadline=deadline)

    def judge(self, response: Response) -> str:
        """See ``registry/senders.py``: the ``id`` of the record that the system made or changed, if given."""
        check_status(response)
        return _usable_id(response.value_at("id"))

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Remember the system's id for a booking or client that we made, and the data that it holds of a client."""
        request = Request.from_json(delivery.request) if delivery.request else None
        if request is None or delivery.system.kind == System.Kind.WEBHOOK:
            return
        if not provider_id and request.method == "POST" and request.path in (BOOKINGS, CLIENTS):
            attempts = Attempt.objects.filter(delivery_id=delivery.id, outcome=Outcome.SUCCEEDED)
            attempts.filter(number=delivery.attempt_count).update(error=NO_USABLE_ID)
        if (request.method, request.path) == ("POST", BOOKINGS) and provider_id and delivery.event.wedding_id:
            ExternalReference.objects.get_or_create(
                system=delivery.system,
                kind=ExternalReference.Kind.BOOKING,
                external_id=provider_id,
                defaults={"organization_id": delivery.organization_id, "wedding_id": delivery.event.wedding_id},
            )
        elif delivery.event.type == "client.updated":
            _note_client(delivery, request, provider_id)

    def answered(self, delivery: Delivery, response: Response) -> None:
        """Nothing more."""

    def failed(self, delivery: Delivery, error: DeliveryError) -> None:
        """See :class:`integrations.registry.senders.Sender`. It does not affect other deliveries."""

    def status_wait(self, delivery: Delivery) -> float | None:
        """See :class:`integrations.registry.senders.Sender`. The same key makes another try harmless."""
        return None


def _made(system: System, outgoing: Outgoing) -> Request | None:
    """The call; if the system has meanwhile learned everything, the event's values are sent all the same."""
    called = CALLED[system.kind]
    request = called.outbound(outgoing)
    if request is None and outgoing.client is not None:
        return called.outbound(replace(outgoing, client=replace(outgoing.client, known={})))
    return request


def _found(system: System, event: ChannelEvent, client: Client) -> Client:
    """The client, looked up in the system by email address if no reference has its id.

    The lookup and the call after it together end before the lease does.
    """
    contact = clients.contact_of(event)
    email = client.profile.get("email") or event.payload.get("email")
    if client.external_id is not None or contact is None or not email:
        return client
    deadline = deadlines.question_deadline()
    listed = ask(system, CLIENTS, {"email": email}, deadline=deadline, within_delivery=True).get("clients")
    known = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    ids = [usable for each in known if (usable := _usable_id(each.get("id")))]
    if len(ids) != 1:
        return client
    held = clients.readable(known[0])
    clients.remember(system, contact, ids[0], held)
    return replace(client, external_id=ids[0], known=held)


def _usable_id(value: object) -> str:
    """An id as a reference holds it, a number as its digits; empty if it cannot be used in calls."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and 0 < len(text) <= LONGEST_ID and text.isprintable() else ""


def _note_client(delivery: Delivery, request: Request, provider_id: str) -> None:
    contact = clients.contact_of(delivery.event)
    if contact is None:
        return
    held = clients.readable(_body(request))
    if (request.method, request.path) == ("POST", CLIENTS):
        if provider_id:
            clients.remember(delivery.system, contact, provider_id, held)
    elif reference := clients.reference_to(delivery.system, contact):
        clients.note_known(reference, held)


def _body(request: Request) -> Mapping[str, Any]:
    body: dict[str, Any] = json.loads(request.body)
    return body
