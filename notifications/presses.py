"""A button under a message was pressed: whoever sees to acknowledgements is told, and what they need is looked up here.

Acknowledging joins with one line, in ``AppConfig.ready``: ``presses.register(acknowledging.acknowledge)``.
"""

from typing import Protocol
from uuid import UUID

import structlog

from integrations.models import Delivery
from notifications import links

log = structlog.get_logger(__name__)
ACTION = "acknowledge"  # Slack's action_id of our button


class Acknowledge(Protocol):
    """Notes that somebody has seen a message; twice does nothing more.

    Raises:
        BadLink: the token is not one of ours.
    """

    def __call__(self, token: str, *, by: str, via: str) -> object:
        """``by``: a name for people; ``via``: the channel's label."""
        ...


class NobodyListens(LookupError):
    """No acknowledging has been registered."""


_listening: list[Acknowledge] = []


def register(acknowledge: Acknowledge) -> None:
    """Let each press of a message's button come here."""
    _listening[:] = [acknowledge]


def pressed(organization_id: UUID, token: str, *, by: str, via: str) -> bool:
    """Pass a press on; false where the token is not one of this organization's.

    The token names the delivery. A connection of another organization acknowledges nothing with it.

    Raises:
        NobodyListens: nothing was registered.
    """
    try:
        delivery_id = links.read_acknowledge_token(token)
        if not Delivery.objects.filter(id=delivery_id, organization_id=organization_id).exists():
            log.warning("press_of_another_organization", organization=str(organization_id), delivery=str(delivery_id))
            return False
        if not _listening:
            raise NobodyListens("nothing takes presses of buttons")
        _listening[0](token, by=by, via=via)
    except links.BadLink:
        log.warning("press_without_our_token", organization=str(organization_id), via=via)
        return False
    return True
