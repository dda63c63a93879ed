"""How long a push service has asked us to wait with one endpoint; the others are called meanwhile."""

from integrations import admission
from integrations.admission import Lane
from integrations.models import Delivery
from wedsync.queues import Priority

LONGEST = 3600.0  # seconds
_RATE, _BURST = 50.0, 50  # a second, to one endpoint


def left(delivery: Delivery) -> float:
    """Seconds until the delivery's endpoint may be called; 0: now."""
    return admission.reserve(_lane(delivery), urgent=delivery.priority == Priority.URGENT)


def begin(delivery: Delivery, seconds: float) -> None:
    """Call the delivery's endpoint no more for so long."""
    admission.begin_pause(_lane(delivery), min(seconds, LONGEST))


def _lane(delivery: Delivery) -> Lane:
    return Lane(delivery.system_id, f"endpoint:{delivery.target}", call_limit=1, rate=_RATE, burst=_BURST)
