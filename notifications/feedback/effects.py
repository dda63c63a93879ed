"""What a report or a reply changes."""

from uuid import UUID

from notifications.feedback import buttons, replies, status
from notifications.feedback.notices import Effect, MailReceived, Pressed, ProviderStatus, Reply


def apply(organization_id: UUID, system_id: UUID, effect: Effect) -> bool:
    """Let it take effect, for one organization only. Call it in a transaction.

    Arguments:
        system_id: the system whose provider reported it.

    Returns:
        False if it is about a message that is not known, or not yet.
    """
    match effect:
        case ProviderStatus():
            return status.apply(organization_id, system_id, effect)
        case Reply():
            replies.apply(organization_id, effect)
        case MailReceived():
            replies.apply_mail(organization_id, effect.sender, effect.at)
        case Pressed():
            for token in effect.tokens:
                buttons.pressed(organization_id, token, by=effect.by, via=effect.channel.label)
    return True
