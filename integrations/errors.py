"""All errors of a delivery.

::

    DeliveryError
    ├── Transient                try again on the schedule
    │   ├── NetworkError         could not connect, reset, TLS          breaker, health
    │   │   └── NoRoom           we had no socket or resolver left      -
    │   ├── TimedOut             the deadline passed; outcome unknown   breaker, health
    │   ├── ServerError          5xx                                    breaker, health
    │   ├── Throttled            408, 425, 429, with Retry-After        -
    │   │   └── PairThrottled    too fast to one recipient              -
    │   ├── EndpointFailed       one recipient's own server works badly -
    │   └── WorkerLost           our worker died; outcome unknown       -
    ├── Permanent                other 4xx, 3xx: dead immediately           health
    │   ├── RecipientRefused     one recipient; no others are affected  -
    │   │   ├── WindowClosed     WhatsApp: free text after 24 hours; goes again as a template
    │   │   ├── Undeliverable    nothing can arrive at this address; it is marked
    │   │   ├── RecipientStopped they stopped our messages; the address is opted out
    │   │   └── RecipientComplained they marked a message as spam; the address is marked
    │   └── TemplateRefused      the provider rejects this template; staff are alerted         -
    ├── CredentialsRefused       401, 403: the system is paused         health
    ├── TargetGone               410: the target is disabled            health
    └── OurFault                 a bug or a setting of ours             -

The last column says what an error counts for: ``counts_for_breaker`` and ``counts_for_health`` of its class. Both
follow from one question: does it show that the other side works badly? A breaker counts errors that another call would
meet too; the success rate also counts permanent refusals. The SQL of the figures uses :func:`not_in_health`.

The error codes of a channel to people are mapped to these classes in its file under notifications/channels/.
"""

from collections.abc import Iterator

from integrations.states import Outcome, Reason


class DeliveryError(Exception):
    """Why an attempt did not succeed. The message may be shown to staff, so it never contains a credential."""

    counts_for_breaker = False
    counts_for_health = True
    outcome = Outcome.FAILED
    reason = Reason.REFUSED


class Transient(DeliveryError):
    """Worth another try. ``retry_after``: seconds that the other side asked for, if it did."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NetworkError(Transient):
    """No connection, or a broken one. ``sent``: the request may have arrived."""

    counts_for_breaker = True
    reason = Reason.NETWORK_ERROR

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.outcome = Outcome.UNKNOWN if sent else Outcome.FAILED


class NoRoom(NetworkError):
    """Nothing was sent, since this process has no free socket or thread; this says nothing about the other side."""

    counts_for_breaker = False
    counts_for_health = False


class TimedOut(Transient):
    """No complete answer within the deadline."""

    counts_for_breaker = True
    outcome = Outcome.UNKNOWN
    reason = Reason.TIMED_OUT


class ServerError(Transient):
    """5xx."""

    counts_for_breaker = True
    reason = Reason.SERVER_ERROR


class Throttled(Transient):
    """The other side limits our calls. ``whole_target``: all calls to it, not only this one."""

    counts_for_health = False
    reason = Reason.THROTTLED

    def __init__(self, message: str, *, retry_after: float | None = None, whole_target: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.whole_target = whole_target


class PairThrottled(Throttled):
    """Too fast to one recipient; others are not affected."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after, whole_target=False)


class EndpointFailed(Transient):
    """The server that receives for one recipient works badly or cannot be reached; others are not affected."""

    counts_for_health = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        reason: Reason = Reason.SERVER_ERROR,
        outcome: Outcome = Outcome.FAILED,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.reason = reason
        self.outcome = outcome


class WorkerLost(Transient):
    """The worker died during the attempt. Never raised, only recorded in the attempt's row when the lease is ended."""

    counts_for_health = False
    outcome = Outcome.UNKNOWN
    reason = Reason.WORKER_LOST


class Permanent(DeliveryError):
    """The same request will never succeed."""


class RecipientRefused(Permanent):
    """The provider works, but accepts nothing for this one recipient."""

    counts_for_health = False


class WindowClosed(RecipientRefused):
    """Free text is no longer accepted, but a template is."""

    reason = Reason.WINDOW_CLOSED


class Undeliverable(RecipientRefused):
    """The address cannot be reached on this channel."""

    reason = Reason.BOUNCED


class RecipientStopped(RecipientRefused):
    """The person has stopped our messages at the provider."""

    reason = Reason.OPTED_OUT


class RecipientComplained(RecipientRefused):
    """The person has marked a message of ours as spam, so the provider accepts no more for them."""

    reason = Reason.COMPLAINED


class TemplateRefused(Permanent):
    """The provider does not know the template, or has stopped it."""

    counts_for_health = False


class CredentialsRefused(DeliveryError):
    """The system no longer accepts our credentials."""

    reason = Reason.CREDENTIALS_REFUSED


class TargetGone(DeliveryError):
    """The target is gone for good."""

    reason = Reason.TARGET_GONE


class OurFault(DeliveryError):
    """A fault on our side: a bug, a missing key, a template."""

    counts_for_health = False
    reason = Reason.OUR_FAULT


def not_in_health() -> list[str]:
    """The names, as in attempts' rows, of the errors that say nothing about how well a system works."""
    return sorted(error.__name__ for error in every_error() if not error.counts_for_health)


def every_error(root: type[DeliveryError] = DeliveryError) -> Iterator[type[DeliveryError]]:
    """A class of errors and all classes below it."""
    yield root
    for below in root.__subclasses__():
        yield from every_error(below)
