"""The meanings of Twilio's error codes: one table, for the answer to a message and for a later status.

https://www.twilio.com/docs/api/errors. Twilio adds more specific codes over time and advises against rules for single
ones: the HTTP status counts first, and an unknown code of the messaging range is about its one recipient.
"""

from collections.abc import Mapping

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    OurFault,
    Permanent,
    RecipientRefused,
    RecipientStopped,
    ServerError,
    Throttled,
    Undeliverable,
)
from integrations.outbound import Response
from notifications.channels.code_meanings import CodeMeaning, all_of

MEANINGS: Mapping[int, CodeMeaning] = {
    **all_of([20003, 20005, 20006, 20404, 30002], CredentialsRefused, "the account or its token is refused"),
    **all_of([14107, 20429, 21611, 30001], Throttled, "too fast"),
    **all_of([20500, 20503], ServerError, "not available"),
    21211: CodeMeaning(Undeliverable, "this is not a phone number"),
    **all_of([21614, 21635, 30005], Undeliverable, "this number cannot receive text messages"),
    21610: CodeMeaning(RecipientStopped, "the person has written STOP"),
    21408: CodeMeaning(RecipientRefused, "the account may not send to this country"),
    21608: CodeMeaning(RecipientRefused, "a trial account may send only to verified numbers"),
    30003: CodeMeaning(RecipientRefused, "the phone cannot be reached"),
    30004: CodeMeaning(RecipientRefused, "the message was blocked"),
    30006: CodeMeaning(RecipientRefused, "a landline, or a carrier that cannot be reached"),
    30007: CodeMeaning(RecipientRefused, "the carrier has filtered the message"),
    **all_of(
        [21212, 21603, 21606, 21659, 21660, 21701, 21703, 21705], OurFault, "the sender is not one of this account's"
    ),
    **all_of([21602, 21604, 21609, 21617], OurFault, "the message or its parameters are wrong"),
}
_OF_MESSAGES = (range(21000, 22000), range(30000, 31000))
_OF_RECIPIENT = CodeMeaning(RecipientRefused, "it cannot be sent to this number")
_UNKNOWN = CodeMeaning(Permanent, "refused")
_TOO_MANY, _OUTAGE = 429, 500


def error_of(response: Response) -> DeliveryError | None:
    """The error that an answer means; ``None`` if its status says everything."""
    code = code_of(response)
    if code is None or response.status >= _OUTAGE:
        return None
    if response.status == _TOO_MANY:
        return Throttled(f"Twilio {code}: too fast", retry_after=response.retry_after)
    return error_for(code, wait=response.retry_after)


def error_for(code: int, *, wait: float | None = None) -> DeliveryError:
    """The error that a code means, in an answer or a status. ``wait``: the seconds that Twilio asks for, if any."""
    about_messages = any(code in codes for codes in _OF_MESSAGES)
    meaning = MEANINGS.get(code) or (_OF_RECIPIENT if about_messages else _UNKNOWN)
    return meaning.as_error("Twilio", code, wait)


def code_of(response: Response) -> int | None:
    """Twilio's ``code``; ``None`` if the answer is not an error, or not Twilio's."""
    return response.number_at("code") if response.status >= 400 else None
