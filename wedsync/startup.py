"""What must hold before any process of WedSync starts to work."""

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from wedsync import vault
from wedsync.env import ConfigurationError


def verify() -> None:
    """Refuse a configuration that would lose or double deliveries later.

    Raises:
        ConfigurationError: the first rule that is broken, with the names of the variables.
    """
    if not settings.DEBUG or settings.SECRET_KEYS:
        vault.check_keys()
    longest_call = max(settings.CALL_DEADLINE_SECONDS, settings.URGENT_DEADLINE_SECONDS)
    if not settings.VISIBILITY_TIMEOUT_SECONDS > settings.LEASE_SECONDS > longest_call:
        raise ConfigurationError(
            "WEDSYNC_VISIBILITY_TIMEOUT_SECONDS must be greater than WEDSYNC_LEASE_SECONDS, and that greater than "
            "WEDSYNC_CALL_DEADLINE_SECONDS and WEDSYNC_URGENT_DEADLINE_SECONDS: otherwise one delivery is sent twice"
        )
    if max(settings.RETRY_QUICK_SECONDS, default=0) >= settings.LEASE_SECONDS:
        raise ConfigurationError("each of WEDSYNC_RETRY_QUICK_SECONDS must be shorter than WEDSYNC_LEASE_SECONDS")


@register()
def configuration_check(**_: object) -> list[CheckMessage]:
    """The same as a system check, so that ``manage.py check`` reports it."""
    try:
        verify()
    except ConfigurationError as error:
        return [Error(str(error), id="wedsync.E001")]
    return []
