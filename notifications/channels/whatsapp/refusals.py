"""What a refusal of WhatsApp's says beyond its one message and its address: of the pair, of all calls, of the template,
of the account. The same whether it came with the answer to the send or with a status.
"""

from integrations.errors import DeliveryError, PairThrottled, TemplateRefused
from integrations.health import alerts
from integrations.models import Delivery
from integrations.models.health import Cause
from notifications.channels.whatsapp import pair_limit, templates


def take_effect(delivery: Delivery, error: DeliveryError) -> None:
    """Note what an answer says of more than its message.

    What it says of the account, or of the pace of all calls, is noted with the attempt.
    """
    if isinstance(error, PairThrottled):
        pair_limit.close(delivery, max(error.retry_after or 0, 4.0 ** min(delivery.attempt_count, 5)))
    elif isinstance(error, TemplateRefused):
        templates.pause(delivery)
        name = templates.name_in(delivery.request)
        text = f"{error}: {name}. Look at it in WhatsApp's manager."
        alerts.raise_alert(delivery.organization_id, Cause.TEMPLATE_REFUSED, text, about=name[:64])
