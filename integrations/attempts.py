"""One try of a claimed delivery. No database connection is held during the outside call (docs/adr/0012)."""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from integrations.errors import DeliveryError, OurFault
from integrations.models import Attempt, Delivery
from integrations.outbound import Request, Response, send
from integrations.states import Outcome, State
from integrations.targets import Sender
from wedsync.env import ConfigurationError
from wedsync.queues import Priority

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Lease:
    """A claimed delivery, and the token without which nothing more is written to it."""

    delivery: Delivery
    token: UUID

    @property
    def row(self) -> QuerySet[Delivery]:
        """The one row, or none once the lease is lost."""
        return Delivery.objects.filter(id=self.delivery.id, lease_token=self.token, state=State.IN_FLIGHT)


@dataclass(frozen=True)
class Result:
    """What came of one try; ``response`` also where it was a refusal."""

    started_at: datetime
    milliseconds: int
    response: Response | None
    provider_id: str
    error: DeliveryError | None


def attempt(lease: Lease, sender: Sender) -> Result | None:
    """Make one call; ``None`` when the lease was lost before it began."""
    delivery = lease.delivery
    started_at, started = timezone.now(), time.monotonic()
    request: Request | None = None
    response: Response | None = None
    provider_id, failure = "", None
    try:
        request = Request.from_json(delivery.request) if delivery.request else sender.render(delivery)
        if not _begin(lease, request):
            return None
        call = sender.prepare(delivery, request)
        connection.close()
        response = send(call, deadline=_deadline(delivery))
        provider_id = sender.judge(response)
    except DeliveryError as error:
        failure = error
    except ConfigurationError as error:
        failure = OurFault(str(error))
    except Exception as error:
        log.exception("delivery_failed_by_us", delivery=str(delivery.id))
        failure = OurFault(f"{type(error).__name__} in our own code; the log has the trace")
    if request is None and not _begin(lease, None):
        return None
    return Result(started_at, int((time.monotonic() - started) * 1000), response, provider_id, failure)


def _begin(lease: Lease, request: Request | None) -> bool:
    """Count the attempt and keep its bytes, so that every retry sends the same; false when the lease was lost."""
    delivery = lease.delivery
    delivery.attempt_count += 1
    delivery.request = request.as_json() if request else None
    return bool(lease.row.update(request=delivery.request, attempt_count=delivery.attempt_count))


def _deadline(delivery: Delivery) -> float:
    urgent = delivery.priority == Priority.URGENT
    return settings.URGENT_DEADLINE_SECONDS if urgent else settings.CALL_DEADLINE_SECONDS


def record(delivery: Delivery, result: Result) -> None:
    """Keep the attempt as a row; excerpts are bounded and hold nothing that we sent."""
    error, response = result.error, result.response
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempt_count,
        started_at=result.started_at,
        milliseconds=result.milliseconds,
        outcome=error.outcome if error else Outcome.SUCCEEDED,
        status_code=response.status if response else None,
        error_class=type(error).__name__ if error else "",
        error=str(error)[:500] if error else "",
        response_excerpt=response.excerpt if response else "",
    )
