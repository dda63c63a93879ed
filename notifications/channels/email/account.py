"""Which credentials the mail providers need, their format, and how fast each provider may be called."""

from collections.abc import Mapping, Sequence
from email.utils import getaddresses

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from integrations.accounts import formats
from integrations.accounts.rules import Credential, Rate
from integrations.outbound import guard
from notifications.channels.email.providers import PROVIDERS
from notifications.channels.email.sender import provider_of
from notifications.channels.email.smtp import NONE, STARTTLS, USUAL_PORTS
from wedsync import named_credentials

SMTP = "smtp"
RATES: Mapping[str, Rate] = {
    "resend": Rate(5, 10),  # https://resend.com/docs/api-reference/rate-limit
    "brevo": Rate(1000, 1000),  # https://developers.brevo.com/docs/api-limits, POST /v3/smtp/email
    "mailersend": Rate(2, 10),  # https://developers.mailersend.com/general#rate-limits: 120 a minute
}
"""The others publish no number, or one per account; they say themselves when calls come too fast."""


def mailbox(value: str) -> None:
    """``a@b`` or ``Name <a@b>``, one only."""
    formats.text(value)
    found = getaddresses([value])
    if len(found) > 1 and "<" in value:
        raise ValueError(
            "This reads as several addresses. Put a name with a comma, colon or the like in quotation marks: "
            '"Weddings, Lakeside" <hello@lakeside.example>.'
        )
    if len(found) != 1:
        raise ValueError("Enter one address.")
    name, address = found[0]
    try:
        validate_email(address)
    except ValidationError as error:
        said = "Enter an address such as hello@lakeside.example, or Lakeside Weddings <hello@lakeside.example>."
        raise ValueError(said) from error
    if not address.isascii():
        raise ValueError("The address must be ASCII; write an international domain in its xn-- form.")
    if "@" in name and "<" in value and not value.lstrip().startswith('"'):
        raise ValueError("Put a name with an @ in quotation marks.")


def mail_provider(value: str) -> None:
    """The slug of a mail provider."""
    if value.strip().lower() not in (*PROVIDERS, SMTP):
        raise ValueError(f"It must be one of {', '.join((*PROVIDERS, SMTP))}.")


def tls(value: str) -> None:
    """How the connection to a mail server is encrypted."""
    if value not in USUAL_PORTS:
        raise ValueError(f"It must be one of {', '.join(USUAL_PORTS)}, in lower case.")


CREDENTIALS = (
    Credential("api_key", "API key", "Of the mail provider.", check_format=formats.token),
    Credential("from", "Sender", "For instance Lakeside Weddings <hello@lakeside.example>.", False, mailbox),
    Credential("reply_to", "Replies to", "An address for replies; empty: the sender.", False, mailbox),
    Credential("provider", "Mail provider", "Empty: resend. docs/staff/email.md lists all.", False, mail_provider),
    Credential("secret_key", "Second key", "Of Mailjet.", check_format=formats.token),
    Credential("sender_domain", "Sending domain", "Of Mailgun, if it is not the sender's.", False, formats.host),
    Credential("message_stream", "Message stream", "Of Postmark.", check_format=formats.word),
    Credential("project_id", "Project id", "Of Scaleway.", False, formats.word),
    Credential("subaccount", "Subaccount", "Of SparkPost.", False, formats.digits),
    Credential("host", "Mail server", "For smtp: its host.", False, formats.host),
    Credential("port", "Port", "For smtp: empty for 587, or 465 with TLS from the start.", False, formats.port),
    Credential("tls", "TLS", "For smtp: starttls, implicit or none; empty: starttls.", False, tls),
    Credential("username", "User name", "For smtp; empty: no login.", False, formats.text),
    Credential("password", "Password", "For smtp.", check_format=formats.text),
)
_NEEDED = {"mailjet": ("api_key", "secret_key"), "scaleway": ("api_key", "project_id")}


def needed(values: Mapping[str, str]) -> Sequence[str]:
    """The credentials that the provider in use requires."""
    provider = provider_of(values)
    if provider == SMTP:
        return ("from", "host", "password") if values.get("username") else ("from", "host")
    return ("from", *_NEEDED.get(provider, ("api_key",)))


def check_mail_server(values: Mapping[str, str | None]) -> None:
    """Check the mail server that the credentials name, if any; values from the environment are accepted.

    Raises:
        ValueError: with a sentence for the host's field.
    """
    host, port = (values.get(name) or "" for name in ("host", "port"))
    encryption = values.get("tls") or STARTTLS
    named = any(named_credentials.is_named(each) for each in (host, port, encryption))
    if not host or named or (values.get("provider") or "").strip().lower() != SMTP:
        return
    port = port or str(USUAL_PORTS.get(encryption, USUAL_PORTS[STARTTLS]))
    formats.port(port)
    guard.check_mail_server(host, int(port), settings.OUTBOUND_ALLOW, encrypted=encryption != NONE)
