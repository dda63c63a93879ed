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
    quickest = max(settings.RETRY_QUICK_SECONDS, default=0)
    for lease, deadline in (("LEASE", "CALL_DEADLINE"), ("URGENT_LEASE", "URGENT_DEADLINE")):
        held, call = getattr(settings, f"{lease}_SECONDS"), getattr(settings, f"{deadline}_SECONDS")
        if not settings.VISIBILITY_TIMEOUT_SECONDS > held > call:
            raise ConfigurationError(
                f"WEDSYNC_VISIBILITY_TIMEOUT_SECONDS ({settings.VISIBILITY_TIMEOUT_SECONDS:g}) must be greater than "
                f"WEDSYNC_{lease}_SECONDS ({held:g}), and that greater than WEDSYNC_{deadline}_SECONDS ({call:g}): "
                "otherwise one delivery is sent twice"
            )
        if quickest >= held:
            raise ConfigurationError(
                f"each of WEDSYNC_RETRY_QUICK_SECONDS must be shorter than WEDSYNC_{lease}_SECONDS"
            )


@register()
def configuration_check(**_: object) -> list[CheckMessage]:
    """The same as a system check, so that ``manage.py check`` reports it."""
    try:
        verify()
    except ConfigurationError as error:
        return [Error(str(error), id="wedsync.E001")]
    return []
