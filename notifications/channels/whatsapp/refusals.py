"""What a refusal of WhatsApp's says beyond its one message and its address: of the pair, of all calls, of the template,
of the account. The same whether it came with the answer to the send or with a status.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from integrations import admission
from integrations.errors import CredentialsRefused, DeliveryError, PairThrottled, TemplateRefused
from integrations.health import alerts
from integrations.models import Delivery, System
from integrations.models.health import Cause
from integrations.systems import lifecycle
from notifications.channels.whatsapp import pair_limit, templates

LATELY = timedelta(hours=1)
"""A status may come days late. What it says of the account, the template or the pace was said of that time."""


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


def take_late_effect(delivery: Delivery, error: DeliveryError, at: datetime) -> None:
    """Note what a failed status says of more than its message. ``at``: WhatsApp's time of the status."""
    if at < timezone.now() - LATELY:
        return
    take_effect(delivery, error)
    if patience := admission.patience_of(error):
        admission.keep_away(admission.lane_of(delivery.system), patience)
    if isinstance(error, CredentialsRefused):
        lifecycle.stop_system(delivery.system, System.Status.PAUSED, error.reason)
