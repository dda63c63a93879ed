"""WhatsApp's limit for a pair (our number and one phone): a message every 6 s, and bursts of 45 after a rest.

https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits. Admission enforces it, in the pair's
own lane: a fifth of the burst is for urgent messages. While Redis is down, only those pairs are held back that WhatsApp
has refused to this process. docs/adr/0043, 0088.
"""

import hashlib

from integrations import admission
from integrations.admission import Lane
from integrations.models import Delivery
from wedsync.queues import Priority

SECONDS_EACH, BURST = 6.0, 45
LONGEST_CLOSED = 3600.0


def reserve(delivery: Delivery) -> float | None:
    """Reserve a message's place in its pair's rate; ``None``, or the seconds to wait if there is none."""
    return admission.reserve(_lane(delivery), urgent=delivery.priority == Priority.URGENT) or None


def close(delivery: Delivery, seconds: float) -> None:
    """WhatsApp has refused the pair: nothing is sent to it for this long, whatever else is waiting."""
    admission.begin_pause(_lane(delivery), min(seconds, LONGEST_CLOSED))


def _lane(delivery: Delivery) -> Lane:
    """The pair's lane, of which only the rate is used. No key contains a phone number in clear text."""
    pair = hashlib.blake2b(f"{delivery.system_id}:{delivery.target}".encode(), digest_size=16).hexdigest()
    return Lane(delivery.system_id, f"pair:{pair}", call_limit=1, rate=1 / SECONDS_EACH, burst=BURST)
