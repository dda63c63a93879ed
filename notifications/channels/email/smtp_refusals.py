"""What a mail server's refusal means (RFC 5321, 4.2.1; RFC 3463)."""

import re
import smtplib

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    Permanent,
    RecipientRefused,
    ServerError,
    Throttled,
    Undeliverable,
)

_ENHANCED = re.compile(r"5\.[0-9]{1,3}\.[0-9]{1,3}\b", re.ASCII)
_NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463, 3.2 and 3.3, and RFC 7505: no such mailbox or domain, a mailbox that has moved, or is disabled."""
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})  # RFC 5321, 4.2.3, where the server has no codes of RFC 3463
MOST_QUOTED = 200
_LOGIN_NEEDED, _LOGIN_WRONG = 530, {534, 535, 538}


class RecipientStepRefused(smtplib.SMTPResponseException):
    """The server has refused the step that names the recipient."""


def text_of(refused: smtplib.SMTPResponseException) -> str:
    """The server's own words."""
    said = refused.smtp_error
    return said if isinstance(said, str) else said.decode("utf-8", errors="replace")


def error_of(refused: smtplib.SMTPResponseException) -> DeliveryError:
    """RFC 5321, 4.2.1: 4yz may succeed later, 5yz never; 421 and 454 are about the server, the rest about the email.

    RFC 3463's own codes say which of those are about the recipient.
    """
    code, text = refused.smtp_code, text_of(refused)
    if code == _LOGIN_NEEDED or code in _LOGIN_WRONG:  # not quoted: a server may repeat what it was sent
        return CredentialsRefused(f"the mail server answered {code}: the credentials are refused")
    said = f"the mail server answered {code} “{_quoted(text)}”"
    if code in {421, 454}:
        return ServerError(f"{said}: not available")
    if 400 <= code < 500:
        return Throttled(f"{said}: later", whole_target=False)
    return _of_recipient(refused, text, said) or Permanent(f"{said}: refused")


def _of_recipient(refused: smtplib.SMTPResponseException, text: str, said: str) -> DeliveryError | None:
    """What a final refusal says about the recipient; ``None``: it is about us, or about the email."""
    found = _ENHANCED.match(text)
    if found and found[0] in _NO_SUCH_ADDRESS:
        return Undeliverable(f"{said}: there is no such address")
    if not isinstance(refused, RecipientStepRefused) or (found and found[0].startswith("5.7.")):
        return None
    if found is None and refused.smtp_code in _NO_SUCH_MAILBOX:
        return Undeliverable(f"{said}: there is no such address")
    return RecipientRefused(f"{said}: the address is refused")


def _quoted(text: str) -> str:
    """The server's own words, on one line."""
    flat = " ".join(text.split())
    return "".join(each for each in flat if each.isprintable())[:MOST_QUOTED] or "no reason given"
