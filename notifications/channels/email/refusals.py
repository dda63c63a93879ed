"""What a provider's answer says about the recipient of an email: that nothing arrives there, or what its owner wants.

Each provider says so in its own way: as a status of the recipient in an otherwise successful answer, or as an error
that names the recipient's field. An address on a provider's suppression list counts as bounced, since nothing will
arrive there, unless the provider says why it is on the list.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    OurFault,
    Permanent,
    RecipientComplained,
    RecipientRefused,
    RecipientStopped,
    Throttled,
    Undeliverable,
)
from integrations.outbound import Response

_REFUSALS = (400, 422)
# If these are in the body of such an error, it is about the recipient, not about the sender or the rest of the email.
_NAMES_RECIPIENT: Mapping[str, str] = {
    "resend": r"`to`",  # https://resend.com/docs/api-reference/errors
    "postmark": r"\"ErrorCode\"\s*:\s*406\b|(Invalid|Error parsing) 'To'",  # .../developer/api/overview#error-codes
    "sendgrid": r"personalizations\.\d+\.to",  # .../api-reference/how-to-use-the-sendgrid-v3-api/errors
    "mailgun": r"'?\bto'? parameter is not a valid address",
    "brevo": r"not valid in to\b",
    "mailersend": r"\"to(\.\d+(\.email)?)?\"\s*:",
    "mailjet": r"\"ErrorRelatedTo\"\s*:\s*\[\s*\"To\b",
    "mailtrap": r"'to' |recipient",
    "mandrill": r"\"name\"\s*:\s*\"Invalid_?Recipient",
    "scaleway": r"\"argument_name\"\s*:\s*\"to\b",
    "sparkpost": r"suppressed|\"code\"\s*:\s*\"(5001|5002|1902)\"|recipients? (address )?(is )?invalid",
}
_SAYS: Mapping[str, type[DeliveryError]] = {
    # Mandrill's reject_reason, MailerSend's reasons, Unisender Go's failed_emails
    "hard-bounce": Undeliverable,
    "hard_bounced": Undeliverable,
    "permanent_unavailable": Undeliverable,
    "invalid": Undeliverable,
    "unsub": RecipientStopped,
    "unsubscribed": RecipientStopped,
    "spam": RecipientComplained,
    "spam_complaint": RecipientComplained,
    "spam_complaints": RecipientComplained,
    "complained": RecipientComplained,
    "soft-bounce": RecipientRefused,
    "custom": RecipientRefused,
    "blocklisted": RecipientRefused,
    "blocked": RecipientRefused,
    "temporary_unavailable": Throttled,
    "invalid-sender": OurFault,
    "unsigned": OurFault,
    "test-mode-limit": OurFault,
    "rule": OurFault,
}
_STRONGEST = (RecipientComplained, RecipientStopped, Undeliverable, RecipientRefused, Throttled, OurFault)


def refused_recipient(
    provider: str, label: str, response: Response, statuses: Mapping[str, Any]
) -> DeliveryError | None:
    """The error that an answer means, if it is about the recipient; ``None``: it is about something else.

    Arguments:
        provider: its name in the credentials.
        label: its name for people.
        statuses: what anymail has read about each recipient, if anything.
    """
    pattern = _NAMES_RECIPIENT.get(provider)
    if response.status in _REFUSALS:
        if reasons := list(_reasons(response)):
            return _strongest(label, reasons)
        if pattern and re.search(pattern, response.text, re.IGNORECASE):
            return Undeliverable(f"{label}: there is no such address, or it is on the list of suppressed ones")
        return None
    if statuses and all(each.status in {"invalid", "rejected", "failed"} for each in statuses.values()):
        if reasons := list(_reasons(response)):
            return _strongest(label, reasons)
        if all(each.status == "failed" for each in statuses.values()):
            return RecipientRefused(f"{label}: the address is refused")
        return Undeliverable(f"{label}: there is no such address, or it is on the list of suppressed ones")
    return None


def refused_by_postal(response: Response) -> DeliveryError | None:
    """Postal answers 200 to everything; the body says what it did. https://docs.postalserver.io/developer/api."""
    said = response.value_at()
    if not isinstance(said, dict) or said.get("status") in (None, "success"):
        return None
    code = str((said.get("data") or {}).get("code", "")) if isinstance(said.get("data"), dict) else ""
    if code in {"AccessDenied", "InvalidServerAPIKey", "ServerSuspended"}:
        return CredentialsRefused(f"Postal: {code}")
    if code == "NoRecipients":
        return Undeliverable("Postal: there is no such address")
    return Permanent(f"Postal: {code or said['status']}"[:200])


def _strongest(label: str, reasons: list[str]) -> DeliveryError:
    kinds = {_SAYS[reason]: reason for reason in reasons}
    kind = next(each for each in _STRONGEST if each in kinds)
    text = f"{label}: the address is refused ({kinds[kind]})"
    return Throttled(text, whole_target=False) if kind is Throttled else kind(text)


def _reasons(response: Response) -> Iterator[str]:
    """The known reasons why a recipient is refused, wherever the provider puts them."""
    said = response.value_at()
    for each in said if isinstance(said, list) else [said]:  # Mandrill's is a list
        if not isinstance(each, dict):
            continue
        found = [each.get("reject_reason"), each.get("status")]
        if isinstance(each.get("failed_emails"), dict):
            found += each["failed_emails"].values()
        for warning in each["warnings"] if isinstance(each.get("warnings"), list) else []:
            found += _of_warning(warning)
        yield from (reason for reason in found if isinstance(reason, str) and reason in _SAYS)


def _of_warning(warning: Any) -> list[Any]:
    recipients = warning.get("recipients") if isinstance(warning, dict) else None
    found: list[Any] = []
    for each in recipients if isinstance(recipients, list) else []:
        reasons = (each.get("reasons") or each.get("reason")) if isinstance(each, dict) else None
        found += reasons if isinstance(reasons, list) else [reasons]
    return found
