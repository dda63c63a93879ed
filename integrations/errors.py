"""All errors of a delivery.

::

    DeliveryError
    ├── Transient              try again on the schedule
    │   ├── NetworkError       could not connect, reset, TLS          counts for the breaker
    │   │   └── NoRoom         we had no socket or resolver left      does not count
    │   ├── TimedOut           the deadline passed                    counts; outcome unknown
    │   ├── ServerError        5xx                                    counts
    │   └── Throttled          408, 425, 429, with Retry-After        does not count
    ├── Permanent              other 4xx, 3xx: dead at once           does not count
    │   ├── WindowClosed       WhatsApp: free text after 24 hours; goes again as a template
    │   ├── Undeliverable      nothing can arrive at this address; it is marked
    │   └── TemplateRefused    the provider takes this template no more; staff are alerted
    ├── CredentialsRefused     401, 403: the system is paused         does not count
    ├── TargetGone             410: the target is disabled            does not count
    └── OurFault               a bug or a setting of ours             never counts against the target

What a person's channel says by codes of its own is classified in its file under notifications/channels/, onto these
same classes.
"""

from integrations.states import Outcome, Reason


class DeliveryError(Exception):
    """Why an attempt did not succeed. The message may be shown to staff, so it never holds a credential."""

    counts_for_breaker = False
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

    reason = Reason.THROTTLED

    def __init__(self, message: str, *, retry_after: float | None = None, whole_target: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.whole_target = whole_target


class Permanent(DeliveryError):
    """The same request will never succeed."""


class WindowClosed(Permanent):
    """Free text is not taken any more, a template still is."""

    reason = Reason.WINDOW_CLOSED


class Undeliverable(Permanent):
    """The address can not be reached on this channel."""

    reason = Reason.BOUNCED


class TemplateRefused(Permanent):
    """The provider does not know the template, or has stopped it."""


class CredentialsRefused(DeliveryError):
    """The system does not know us any more."""

    reason = Reason.CREDENTIALS_REFUSED


class TargetGone(DeliveryError):
    """The target told us never to come back."""

    reason = Reason.TARGET_GONE


class OurFault(DeliveryError):
    """Something of ours: a bug, a missing key, a template."""

    reason = Reason.OUR_FAULT
