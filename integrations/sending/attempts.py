"""One try of a claimed delivery. No database connection is held during the outside call (docs/adr/0012)."""

import time
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection
from django.utils import timezone

from integrations.credentials.excerpts import for_row, secrets_of
from integrations.deliveries import state_changes
from integrations.deliveries.claims import Lease
from integrations.errors import DeliveryError, OurFault
from integrations.outbound import Request, Response
from integrations.registry.senders import Sender
from integrations.rules import deadlines
from integrations.states import Outcome
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.env import ConfigurationError

log = structlog.get_logger(__name__)
LONGEST = 2000  # characters of an error; rows and logs cut it further


@dataclass(frozen=True)
class Result:
    """The result of one try; ``response`` is set for a refusal too.

    Arguments:
        secrets: must be removed from ``response`` before any of it is kept; the error and id no longer contain them.
    """

    started_at: datetime
    milliseconds: int
    response: Response | None
    provider_id: str
    error: DeliveryError | None
    secrets: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The outcome for the attempt's row."""
        return self.error.outcome if self.error else Outcome.SUCCEEDED


def attempt(lease: Lease, sender: Sender) -> Result | None:
    """Make one call; ``None`` if the lease was lost before it began.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away, and nothing was sent.
    """
    delivery = lease.delivery
    started_at, started = timezone.now(), time.monotonic()
    response: Response | None = None
    provider_id, failure = "", None
    try:
        request = _frozen(lease, sender)
        if request is None:
            return None
        send = sender.ready(delivery, request)
        connection.close()
        response = send(deadlines.call_deadline(delivery.priority))
        provider_id = sender.judge(response)
    except DeliveryError as error:
        failure = error
    except POSTGRES_AWAY:
        raise
    except ConfigurationError as error:
        failure = OurFault(str(error))
    except Exception as error:
        log.exception("delivery_failed_by_us", delivery=str(delivery.id))
        failure = OurFault(f"{type(error).__name__} in our own code; see the log for the traceback")
    milliseconds = int((time.monotonic() - started) * 1000)
    secrets = secrets_of(delivery.system)
    if failure is not None:
        failure.args = (for_row(str(failure), secrets, LONGEST),)
    return Result(started_at, milliseconds, response, for_row(provider_id, secrets, LONGEST), failure, secrets)


def _frozen(lease: Lease, sender: Sender) -> Request | None:
    """The bytes to send: rendered for the first attempt and kept, so that every retry sends the same bytes.

    ``None`` if the lease was lost. If the other side supports no idempotency key, a retry also waits until PostgreSQL
    has the claim on disk, which a claim alone does not: otherwise a crash could send a duplicate that is not marked.
    """
    delivery = lease.delivery
    known = delivery.request is not None
    request = Request.from_json(delivery.request) if delivery.request else sender.render(delivery)
    if known and not sender.may_duplicate_on_retry(delivery):
        return request
    delivery.request = request.as_json()
    return request if state_changes.freeze(delivery.id, lease.token, delivery.request) else None
