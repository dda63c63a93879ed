"""A call to a system, shaped by the mapping or template of the route that requested it."""

import json
from dataclasses import replace

from integrations.errors import OurFault
from integrations.models import Delivery
from integrations.outbound import Request
from integrations.rules import transforms
from integrations.rules.transforms import CannotTransform

ENVELOPE = ("id", "type", "occurred_at", "sequence")  # what json_request puts around every call


def shaped(request: Request, delivery: Delivery) -> Request:
    """The call with the result of the route's transform in place of the vendor's own fields; the envelope stays.

    Raises:
        OurFault: the route's mapping or template fails on this event.
    """
    route = delivery.shaped_by
    transform = route.transform if route else None
    if transform is None:
        return request
    try:
        made = transforms.apply(transform, delivery.event)
    except CannotTransform as error:
        raise OurFault(f"the transform of the route “{route}” fails: {error}") from error
    whole = json.loads(request.body)
    envelope = {name: whole[name] for name in ENVELOPE if name in whole}
    return replace(request, body=json.dumps(envelope | {"payload": made}, ensure_ascii=False))
