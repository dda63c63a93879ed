"""Meta's error codes, by what they mean for a delivery.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes. Only ``error.code`` counts: titles will go,
and the HTTP status of a code differs from place to place.
"""

import json

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    OurFault,
    PairThrottled,
    Permanent,
    RecipientRefused,
    ServerError,
    TemplateRefused,
    Throttled,
    Undeliverable,
    WindowClosed,
)
from integrations.outbound import Response

SPAM_WAIT = 3600.0  # seconds: to go on at once would make it worse

_ACCOUNT = {0, 10, 190, 368, 130497, 131005, 131031, 131042, 131045, 133010, *range(200, 300)}
_TOO_FAST = {4, 80007, 130429, 131057}
_PAIR, _SPAM = 131056, 131048
_AWAY = {1, 2, 131000, 131016}
_OURS = {3, 100, 131008, 131009, 131051}
_TEMPLATE = {132000, 132001, 132005, 132007, 132012, 132015, 132016}
_NOT_REACHED = {131026}
_REFUSED = {
    130472: "this number is part of an experiment of WhatsApp's",
    131021: "the recipient is the sender",
    131030: "the recipient is not among the test numbers",
    131049: "WhatsApp's limit of such messages for this person",
    131050: "the person has stopped such messages",
}


def error_of(response: Response) -> DeliveryError | None:
    """The error that an answer stands for; ``None`` where its status says all."""
    code = code_of(response)
    if code is None:
        return None
    wait = response.retry_after
    if code in _ACCOUNT:
        return CredentialsRefused(f"WhatsApp {code}: the account or its token is refused")
    if code == _PAIR:
        return PairThrottled(f"WhatsApp {code}: too fast to this phone", retry_after=wait)
    if code == _SPAM:
        return Throttled(f"WhatsApp {code}: held back as spam", retry_after=max(wait or 0, SPAM_WAIT))
    if code in _TOO_FAST:
        return Throttled(f"WhatsApp {code}: too fast", retry_after=wait)
    if code in _AWAY:
        return ServerError(f"WhatsApp {code}: not available", retry_after=wait)
    if code == 131047:
        return WindowClosed(f"WhatsApp {code}: the 24 hours for free text are over")
    if code in _NOT_REACHED:
        return Undeliverable(f"WhatsApp {code}: this number can not be reached")
    if code in _TEMPLATE:
        return TemplateRefused(f"WhatsApp {code}: the template is missing, was stopped, or takes other parameters")
    if code in _OURS:
        return OurFault(f"WhatsApp {code}: the message or its parameters are wrong")
    if code in _REFUSED:
        return RecipientRefused(f"WhatsApp {code}: {_REFUSED[code]}")
    return Permanent(f"WhatsApp {code}: refused")


def code_of(response: Response) -> int | None:
    """Meta's ``error.code``; ``None`` where the answer is no error, or none of Meta's."""
    if response.status < 400:
        return None
    try:
        return int(json.loads(response.body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return None
