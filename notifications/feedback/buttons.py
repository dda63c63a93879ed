"""A button under a message was pressed."""

from uuid import UUID

import structlog

from notifications import links
from notifications.incidents import acknowledging

log = structlog.get_logger(__name__)
ACTION = "acknowledge"  # Slack's action_id of our button


def pressed(organization_id: UUID, token: str, *, by: str, via: str) -> bool:
    """Acknowledge with the button's token; false if it is not one of this organization's, or too old.

    ``by``: a name for people, empty if the message itself says whose it was; ``via``: the channel's label.
    """
    try:
        acknowledging.acknowledge(token, by=by, via=via, organization_id=organization_id)
    except links.BadLink as error:
        log.warning("press_without_effect", organization=str(organization_id), via=via, reason=str(error))
        return False
    return True
