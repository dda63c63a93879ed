"""The meanings of Meta's error codes: one table, for the answer to a message and for a later status.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes. Only ``error.code`` counts: Meta will
remove titles, and the HTTP status of a code differs from place to place.
"""

from collections.abc import Mapping

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    OurFault,
    PairThrottled,
    Permanent,
    RecipientRefused,
    RecipientStopped,
    ServerError,
    TemplateRefused,
    Throttled,
    Undeliverable,
    WindowClosed,
)
from integrations.outbound import Response
from notifications.channels.code_meanings import CodeMeaning, all_of

SPAM_WAIT = 3600.0  # seconds: to continue immediately would make it worse


MEANINGS: Mapping[int, CodeMeaning] = {
    **all_of(
        [0, 10, 190, 368, 130497, 131005, 131031, 131042, 131045, 133010, *range(200, 300)],
        CredentialsRefused,
        "the account or its token is refused",
    ),
    131056: CodeMeaning(PairThrottled, "too fast to this phone"),
    131048: CodeMeaning(Throttled, "held back as spam", SPAM_WAIT),
    **all_of([4, 80007, 130429, 131057], Throttled, "too fast"),
    **all_of([1, 2, 131000, 131016], ServerError, "not available"),
    131047: CodeMeaning(WindowClosed, "the 24 hours for free text are over"),
    131026: CodeMeaning(Undeliverable, "this number cannot be reached"),
    131050: CodeMeaning(RecipientStopped, "the person has opted out of such messages"),
    130472: CodeMeaning(RecipientRefused, "this number is part of one of WhatsApp's experiments"),
    131021: CodeMeaning(RecipientRefused, "the recipient is the sender"),
    131030: CodeMeaning(RecipientRefused, "the recipient is not among the test numbers"),
    131049: CodeMeaning(RecipientRefused, "this person has reached WhatsApp's limit for such messages"),
    **all_of(
        [132000, 132001, 132005, 132007, 132012, 132015, 132016],
        TemplateRefused,
        "the template is missing, was stopped, or has other parameters",
    ),
    **all_of([3, 100, 131008, 131009, 131051], OurFault, "the message or its parameters are wrong"),
}
_UNKNOWN = CodeMeaning(Permanent, "refused")


def error_of(response: Response) -> DeliveryError | None:
    """The error that an answer means; ``None`` if its status says everything."""
    code = code_of(response)
    return None if code is None else error_for(code, wait=response.retry_after)


def error_for(code: int, *, wait: float | None = None) -> DeliveryError:
    """The error that a code means, in an answer or a status. ``wait``: the seconds that Meta asks for, if any."""
    meaning = MEANINGS.get(code, _UNKNOWN)
    return meaning.as_error("WhatsApp", code, wait)


def code_of(response: Response) -> int | None:
    """Meta's ``error.code``; ``None`` if the answer is not an error, or not Meta's."""
    return response.number_at("error", "code") if response.status >= 400 else None
