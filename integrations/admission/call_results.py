"""The result of a call, in the terms of :mod:`integrations.admission`."""

from integrations.admission.permits import CallResult
from integrations.errors import DeliveryError, NoRoom, OurFault, Throttled


def result_of(error: DeliveryError | None, *, answered: bool) -> CallResult | None:
    """What a call says about the health of its target; ``None``: nothing was sent, so nothing is known.

    ``answered``: whether the other side has answered at all.
    """
    if error is None:
        return CallResult.ALIVE
    if isinstance(error, OurFault | NoRoom) and not answered:
        return None
    return CallResult.FAILED if error.counts_for_breaker else CallResult.NEUTRAL


def pause_of(error: DeliveryError | None) -> float:
    """Seconds for which the target has asked us to pause all calls; 0 if it has not."""
    if isinstance(error, Throttled) and error.whole_target:
        return error.retry_after or 0.0
    return 0.0
