"""What a refusal by WhatsApp says beyond its message and its address: about the pair, all calls, the template or the
account. The same whether it came with the answer to the message or with a status.
"""

from integrations.errors import DeliveryError, PairThrottled, TemplateRefused
from integrations.health import alerts
from integrations.models import Delivery
from integrations.models.health import Cause
from notifications.channels.whatsapp import pair_limit, templates


def take_effect(delivery: Delivery, error: DeliveryError) -> None:
    """Record what an answer says beyond its message.

    What it says about the account, or about the rate of all calls, is recorded with the attempt.
    """
    if isinstance(error, PairThrottled):
        pair_limit.close(delivery, max(error.retry_after or 0, 4.0 ** min(delivery.attempt_count, 5)))
    elif isinstance(error, TemplateRefused):
        templates.pause(delivery)
        name = templates.name_in(delivery.request)
        text = f"{error}: {name}. Check it in WhatsApp Manager."
        alerts.raise_alert(delivery.organization_id, Cause.TEMPLATE_REFUSED, text, about=name[:64])
