"""Deliveries to other systems: which call, to what address, with which proof of who we are."""

import json
import time
from collections.abc import Iterable
from dataclasses import replace

from integrations import standard_webhooks, suppliers, targets, transforms
from integrations.errors import OurFault
from integrations.models import Delivery, Route
from integrations.outbound import Call, Request, Response, check_status
from integrations.targets import Plan, Preview
from integrations.transforms import CannotTransform
from integrations.vendors import VENDORS
from integrations.vendors.base import Outgoing
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.queues import Priority

ENVELOPE = ("id", "type", "occurred_at", "sequence")  # what json_request puts around every call


def register() -> None:
    """Fill in the registry."""
    targets.register_target(Route.Target.SYSTEM, expand)
    targets.register_channel(targets.SYSTEM_CHANNEL, SystemSender())


def expand(route: Route, event: ChannelEvent, _priority: Priority) -> Iterable[Plan]:
    """One delivery, where the vendor knows the wedding and takes a call for this type of event."""
    system = route.system
    if system is None or (system.id == event.source_system_id and not route.echo):
        return
    if _request(system.kind, system.id, event) is not None:
        yield Plan(Route.Target.SYSTEM, str(system.id), targets.SYSTEM_CHANNEL, system)


def _request(kind: str, system_id: object, event: ChannelEvent) -> Request | None:
    vendor = VENDORS.get(kind)
    booking_id = suppliers.booking_id(system_id, event.wedding_id)  # type: ignore[arg-type]
    if vendor is None or booking_id is None:
        return None
    sequence = (
        ChannelEntry.objects.filter(event=event, channel__name=f"supplier:dashboard:{system_id}")
        .values_list("sequence", flat=True)
        .first()
    )
    return vendor.outbound(Outgoing(event, booking_id, sequence))


def _shaped(request: Request, delivery: Delivery) -> Request:
    """The call with what the route makes of the event in place of the vendor's own fields; the envelope stays.

    Raises:
        OurFault: the route's mapping or template breaks on this event.
    """
    route = delivery.shaped_by
    try:
        shaped = transforms.apply(route, delivery.event) if route else None
    except CannotTransform as error:
        raise OurFault(f"the transform of the route “{route}” breaks: {error}") from error
    if shaped is None:
        return request
    whole = json.loads(request.body)
    envelope = {name: whole[name] for name in ENVELOPE if name in whole}
    return replace(request, body=json.dumps(envelope | {"payload": shaped}, ensure_ascii=False))


class SystemSender:
    """Bearer token, ``Idempotency-Key``, Standard Webhooks headers: docs/vendors/README.md, "Calls that you take"."""

    resends_marked = False

    def render(self, delivery: Delivery) -> Request:
        """See :class:`integrations.targets.Sender`."""
        request = _request(delivery.system.kind, delivery.system_id, delivery.event)
        if request is None:
            raise OurFault("the system takes no call for this event any more: its kind or its reference has changed")
        return _shaped(request, delivery) if delivery.shaped_by else request

    def preview(self, delivery: Delivery) -> Preview:
        """See :class:`integrations.targets.Sender`."""
        return Preview(self.render(delivery))

    def prepare(self, delivery: Delivery, request: Request) -> Call:
        """See :class:`integrations.targets.Sender`. The delivery's id is the key, so retries carry the same one."""
        credentials, body = delivery.system.credentials, request.body.encode()
        headers = {**request.headers, "Idempotency-Key": str(delivery.id)}
        if token := credentials.get("access_token"):
            headers["Authorization"] = f"Bearer {token}"
        if secret := credentials.get("signing_secret"):
            try:
                headers |= standard_webhooks.headers(secret, str(delivery.id), int(time.time()), body)
            except ValueError as error:
                raise OurFault(str(error)) from error
        return Call(request.method, delivery.system.base_url.rstrip("/") + request.path, body, headers)

    def judge(self, response: Response) -> str:
        """See :class:`integrations.targets.Sender`."""
        check_status(response)
        return ""

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Systems report nothing later."""

    def status_wait(self, delivery: Delivery) -> float | None:
        """See :class:`integrations.targets.Sender`. The same key makes another try harmless."""
        return None
