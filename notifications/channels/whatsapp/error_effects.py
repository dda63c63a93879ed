"""What an error of WhatsApp changes beyond its message: the limit of a pair, or a template.

It applies to an answer to a message and to a later status alike. What an error says about the account, or about the
rate of all calls, is recorded elsewhere: with the attempt, or by :meth:`PersonChannel.failed_late`.
"""

from integrations.errors import DeliveryError, PairThrottled, TemplateRefused
from integrations.health import alerts
from integrations.models import Delivery
from integrations.models.health import Cause
from notifications.channels.whatsapp import frozen_messages, pair_limit, templates


def apply(delivery: Delivery, error: DeliveryError) -> None:
    """Close the pair, or pause the template, if the error is about one of them."""
    if isinstance(error, PairThrottled):
        pair_limit.close(delivery, max(error.retry_after or 0, 4.0 ** min(delivery.attempt_count, 5)))
    elif isinstance(error, TemplateRefused):
        templates.pause(delivery)
        name = frozen_messages.name_in(delivery.request)
        text = f"{error}: {name}. Check it in WhatsApp Manager."
        alerts.raise_alert(delivery.organization_id, Cause.TEMPLATE_REFUSED, text, about=name[:64])
