"""Which credentials each kind of system takes, and what such a value may look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from integrations.accounts import forms
from integrations.models import System
from integrations.outbound import guard
from integrations.outbound.guard import read_origin
from integrations.vendors import VENDORS
from wedsync import named_credentials

LONGEST = 2000
_Kind = System.Kind
_VENDORS = (*map(_Kind, VENDORS), _Kind.WEBHOOK)


@dataclass(frozen=True)
class Credential:
    """One stored value: its name, what staff call it, and the kinds of systems that need it."""

    name: str
    label: str
    about: str
    kinds: tuple[System.Kind, ...]
    secret: bool = True
    form: Callable[[str], None] = forms.text

    @property
    def field(self) -> str:
        """Its name in the form."""
        return f"credential_{self.name}"

    def check(self, value: str, organization: str) -> None:
        """Pass what may be stored.

        Arguments:
            organization: the slug of the system's organization, which may take some variables and no others.

        Raises:
            ValueError: why not, as a whole sentence; it does not hold the value.
        """
        if named_credentials.is_named(value):
            named_credentials.check(value, organization)
        else:
            self.form(value)


def _of_mail(name: str, label: str, about: str, form: Callable[[str], None], *, secret: bool = False) -> Credential:
    return Credential(name, label, about, (_Kind.EMAIL,), secret, form)


CREDENTIALS = (
    Credential(
        "access_token", "Access token", "From the system's settings.", (_Kind.WHATSAPP, *_VENDORS),
        form=forms.token,
    ),
    Credential(
        "phone_number_id", "Phone number id", "Of the WhatsApp Business account.", (_Kind.WHATSAPP,), False,
        forms.digits,
    ),
    Credential(
        "webhook_path", "Webhook path", "After /services/ in Slack's webhook URL: T…/B…/…", (_Kind.SLACK,),
        form=forms.slack_path,
    ),
    _of_mail("api_key", "API key", "Of the mail provider.", forms.token, secret=True),
    _of_mail(
        "from", "Sender", "For instance Lakeside Weddings <hello@lakeside.example>.", forms.mailbox
    ),
    _of_mail("reply_to", "Replies to", "An address for answers; empty: the sender.", forms.mailbox),
    _of_mail(
        "provider", "Mail provider", "resend where it is empty; docs/staff/email.md has all.", forms.mail_provider
    ),
    _of_mail("secret_key", "Second key", "Of Mailjet.", forms.token, secret=True),
    _of_mail("sender_domain", "Sending domain", "Of Mailgun, where it is not the sender's.", forms.host),
    _of_mail("message_stream", "Message stream", "Of Postmark.", forms.word, secret=True),
    _of_mail("project_id", "Project id", "Of Scaleway.", forms.word),
    _of_mail("subaccount", "Subaccount", "Of SparkPost.", forms.digits),
    _of_mail("host", "Mail server", "For smtp: its host.", forms.host),
    _of_mail("port", "Port", "For smtp: empty for 587, or 465 with TLS from the start.", forms.port),
    _of_mail("tls", "TLS", "For smtp: starttls, implicit or none; empty: starttls.", forms.tls),
    _of_mail("username", "User name", "For smtp; empty: no login.", forms.text),
    _of_mail("password", "Password", "For smtp.", forms.text, secret=True),
    Credential(
        "signing_secret",
        "Signing secret",
        "whsec_ and base64; signs what we send. Without one nothing is signed; a button makes one.",
        _VENDORS,
        form=forms.signing_secret,
    ),
    Credential(
        "previous_signing_secret", "Previous signing secret", "Signs along while the other side changes over.",
        _VENDORS, form=forms.signing_secret,
    ),
)  # fmt: skip


def credentials_of(kind: str) -> dict[str, Credential]:
    """Those that a kind of system takes, by name."""
    return {credential.name: credential for credential in CREDENTIALS if kind in credential.kinds}


def to_be_entered_anew(
    kind: str, stored: Mapping[str, str], entered: Mapping[str, str | None], places: tuple[str, str]
) -> dict[str, list[str]]:
    """The secrets that a change would send to another place than the one for which they were entered.

    Someone who may change where a system is must not thereby see secrets that others entered (docs/adr/0053).

    Arguments:
        stored: the credentials as they are stored.
        entered: those of the change, by name; ``None`` removes one.
        places: the base URL before and after.

    Returns:
        By the field that leads elsewhere (``base_url`` or ``host``), the names of the secrets.
    """
    known = credentials_of(kind)
    kept = [name for name in stored if name not in entered and _is_secret(known.get(name), stored[name])]
    if kept and leads_elsewhere(*places):
        return {"base_url": kept}
    changed = {**stored, **entered}
    moved = any((stored.get(name) or "") != (changed.get(name) or "") for name in ("host", "port"))
    of_login = [name for name in kept if name == "password"]
    return {"host": of_login} if moved and of_login else {}


USUAL_PORTS = {"starttls": "587", "implicit": "465", "none": "25"}


def check_mail_server(kind: str, values: Mapping[str, str | None]) -> None:
    """Pass the mail server that a system's credentials name, where they name one; what the environment holds passes.

    Raises:
        ValueError: with a sentence for the field of the host.
    """
    host, port = (values.get(name) or "" for name in ("host", "port"))
    encryption = values.get("tls") or "starttls"
    named = any(named_credentials.is_named(each) for each in (host, port, encryption))
    if kind != System.Kind.EMAIL or not host or named or (values.get("provider") or "").strip().lower() != "smtp":
        return
    port = port or USUAL_PORTS.get(encryption, "587")
    forms.port(port)
    guard.check_mail_server(host, int(port), settings.OUTBOUND_ALLOW, encrypted=encryption != "none")


def leads_elsewhere(before: str, after: str) -> bool:
    """Whether two base URLs have different origins: scheme, host and port."""
    try:
        return before != after and read_origin(before) != read_origin(after)
    except ValueError:  # a row may be older than the checks of base URLs
        return True


def _is_secret(credential: Credential | None, value: str) -> bool:
    return credential is None or credential.secret or named_credentials.is_named(value)
