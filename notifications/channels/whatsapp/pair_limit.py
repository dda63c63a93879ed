"""WhatsApp's limit for a pair, our number and one phone: a message each 6 s, and 45 at once after a rest.

https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits. Admission keeps it, in a lane of the
pair's own: a fifth of the burst is for what is urgent. While Redis is away nothing is held but the pairs that WhatsApp
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
    """Take a message's place in its pair's rate; seconds to wait where there is none, else ``None``."""
    return admission.reserve(_lane(delivery), urgent=delivery.priority == Priority.URGENT) or None


def close(delivery: Delivery, seconds: float) -> None:
    """WhatsApp has refused the pair: nothing goes to it for so long, whatever else waits for it."""
    admission.keep_away(_lane(delivery), min(seconds, LONGEST_CLOSED))


def _lane(delivery: Delivery) -> Lane:
    """The pair's lane, of which only its rate is used. A phone number is in no key in clear."""
    pair = hashlib.blake2b(f"{delivery.system_id}:{delivery.target}".encode(), digest_size=16).hexdigest()
    return Lane(delivery.system_id, f"pair:{pair}", call_limit=1, rate=1 / SECONDS_EACH, burst=BURST)
