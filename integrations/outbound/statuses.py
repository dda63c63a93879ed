"""Maps HTTP statuses to errors of deliveries."""

from integrations.errors import CredentialsRefused, Permanent, ServerError, TargetGone, Throttled
from integrations.outbound.messages import Response

TOO_MANY = 429


def check_status(response: Response) -> None:
    """Accept a 2xx status. See docs/operators/sending.md, "Errors".

    Raises:
        DeliveryError: of the status's class.
    """
    status = response.status
    if 200 <= status < 300:
        return
    if status >= 500:
        raise ServerError(f"answered {status}", retry_after=response.retry_after)
    if status in {408, 425, 429}:
        raise Throttled(f"answered {status}", retry_after=response.retry_after, whole_target=status == TOO_MANY)
    if status in {401, 403}:
        raise CredentialsRefused(f"answered {status}: the credentials are refused")
    if status == 410:
        raise TargetGone("answered 410: the target is gone")
    raise Permanent(f"answered {status}")
