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
    │   └── WorkerLost           our worker died; outcome unknown       -
    ├── Permanent                other 4xx, 3xx: dead at once           health
    │   ├── RecipientRefused     one recipient; others are not affected -
    │   │   ├── WindowClosed     WhatsApp: free text after 24 hours; goes again as a template
    │   │   ├── Undeliverable    nothing can arrive at this address; it is marked
    │   │   ├── RecipientStopped they want no such messages; the address is opted out
    │   │   └── RecipientComplained they called a message spam; the address is marked
    │   └── TemplateRefused      the provider takes this template no more; staff are alerted   -
    ├── CredentialsRefused       401, 403: the system is paused         health
    ├── TargetGone               410: the target is disabled            health
    └── OurFault                 a bug or a setting of ours             -

The last column says what an error counts for: ``counts_for_breaker`` and ``counts_for_health`` of its class. Both
follow from one question: does it say that the other side works badly? A breaker opens on what another call would meet
too; the success rate also counts what a target refuses for good. The SQL of the figures uses :func:`not_in_health`.

What a person's channel says by codes of its own is classified in its file under notifications/channels/, onto these
same classes.
"""

from collections.abc import Iterator

from integrations.states import Outcome, Reason


class DeliveryError(Exception):
    """Why an attempt did not succeed. The message may be shown to staff, so it never holds a credential."""

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
    """No connection, or one that broke. ``sent``: the request may have arrived."""

    counts_for_breaker = True
    reason = Reason.NETWORK_ERROR

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.outcome = Outcome.UNKNOWN if sent else Outcome.FAILED


class NoRoom(NetworkError):
    """Nothing left, since this process has no socket or thread to spare; it says nothing of the other side."""

    counts_for_breaker = False
    counts_for_health = False


class TimedOut(Transient):
    """No whole answer within the deadline."""

    counts_for_breaker = True
    outcome = Outcome.UNKNOWN
    reason = Reason.TIMED_OUT


class ServerError(Transient):
    """5xx."""

    counts_for_breaker = True
    reason = Reason.SERVER_ERROR


class Throttled(Transient):
    """The other side asks for patience. ``whole_target``: with all calls to it, not with this one alone."""

    counts_for_health = False
    reason = Reason.THROTTLED

    def __init__(self, message: str, *, retry_after: float | None = None, whole_target: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.whole_target = whole_target


class PairThrottled(Throttled):
    """Too fast to one recipient; others are not affected."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after, whole_target=False)


class WorkerLost(Transient):
    """The worker died during the attempt. Never raised: it is noted in the attempt's row when the lease is ended."""

    counts_for_health = False
    outcome = Outcome.UNKNOWN
    reason = Reason.WORKER_LOST


class Permanent(DeliveryError):
    """The same request will never succeed."""


class RecipientRefused(Permanent):
    """The provider works, but takes nothing for this one recipient."""

    counts_for_health = False


class WindowClosed(RecipientRefused):
    """Free text is not taken any more, a template still is."""

    reason = Reason.WINDOW_CLOSED


class Undeliverable(RecipientRefused):
    """The address cannot be reached on this channel."""

    reason = Reason.BOUNCED


class RecipientStopped(RecipientRefused):
    """The person has stopped such messages at the provider."""

    reason = Reason.OPTED_OUT


class RecipientComplained(RecipientRefused):
    """The person has called a message of ours spam, so the provider takes no more for them."""

    reason = Reason.COMPLAINED


class TemplateRefused(Permanent):
    """The provider does not know the template, or has stopped it."""

    counts_for_health = False


class CredentialsRefused(DeliveryError):
    """The system does not know us any more."""

    reason = Reason.CREDENTIALS_REFUSED


class TargetGone(DeliveryError):
    """The target told us never to come back."""

    reason = Reason.TARGET_GONE


class OurFault(DeliveryError):
    """Something of ours: a bug, a missing key, a template."""

    counts_for_health = False
    reason = Reason.OUR_FAULT


def not_in_health() -> list[str]:
    """The names, as attempts keep them, of the errors that say nothing about how well a system works."""
    return sorted(error.__name__ for error in every_error() if not error.counts_for_health)


def every_error(root: type[DeliveryError] = DeliveryError) -> Iterator[type[DeliveryError]]:
    """A class of errors and all classes below it."""
    yield root
    for below in root.__subclasses__():
        yield from every_error(below)
