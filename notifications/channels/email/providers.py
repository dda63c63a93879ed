"""Mail providers with an HTTP API, by django-anymail: it knows each one's format, and our own transport sends it.

https://anymail.dev/en/stable/esps/. Anymail would use ``requests``, with a time-out per read and to any address, so
only its payloads and its parsing of answers are used. Only Resend has idempotency keys, which prevent the same email
from being sent twice. docs/adr/0041.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import requests
from anymail.backends import (
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mailtrap,
    mandrill,
    postal,
    postmark,
    resend,
    scaleway,
    sendgrid,
    sparkpost,
    unisender_go,
)
from anymail.exceptions import AnymailError

from integrations.errors import DeliveryError, OurFault
from integrations.models import Delivery
from integrations.outbound import Call, Response, send
from notifications.channels.email.answers import MailAnswer, resend_error, resend_id
from notifications.channels.email.mail import Mail
from notifications.channels.email.refusals import refused_by_postal, refused_recipient
from notifications.channels.email.sender import DEFAULT, EmailSender

_FRAMING = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True)
class MailProvider:
    """A provider. ``key``: its name for the API key; ``needs``, ``takes``: other credentials, required or not."""

    label: str
    backend: Callable[..., Any]
    key: str = "api_key"
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    fixed: Mapping[str, Any] | None = None


# Without anymail's own id, which would differ in each attempt.
_NO_OWN_ID = {"generate_message_id": False}
PROVIDERS: dict[str, MailProvider] = {
    "resend": MailProvider("Resend", resend.EmailBackend),
    "postmark": MailProvider("Postmark", postmark.EmailBackend, "server_token", takes=("message_stream",)),
    "sendgrid": MailProvider("SendGrid", sendgrid.EmailBackend, fixed=_NO_OWN_ID),
    "mailgun": MailProvider("Mailgun", mailgun.EmailBackend, takes=("sender_domain",)),
    "brevo": MailProvider("Brevo", brevo.EmailBackend),
    "mailersend": MailProvider("MailerSend", mailersend.EmailBackend, "api_token"),
    "mailjet": MailProvider("Mailjet", mailjet.EmailBackend, needs=("secret_key",)),
    "mailtrap": MailProvider("Mailtrap", mailtrap.EmailBackend, "api_token"),
    "mandrill": MailProvider("Mandrill", mandrill.EmailBackend),
    "postal": MailProvider("Postal", postal.EmailBackend),
    "scaleway": MailProvider("Scaleway", scaleway.EmailBackend, "secret_key", needs=("project_id",)),
    "sparkpost": MailProvider("SparkPost", sparkpost.EmailBackend, takes=("subaccount",)),
    "unisender_go": MailProvider("Unisender Go", unisender_go.EmailBackend, fixed=_NO_OWN_ID),
}


@dataclass(frozen=True)
class PreparedMail:
    """An email ready to send. ``read``: turns the provider's answer into ours."""

    call: Call
    read: Callable[[Response], MailAnswer]

    def send(self, deadline: float) -> Response:
        """Make the call. ``deadline``: seconds for all of it."""
        return self.read(send(self.call, deadline=deadline))


def prepare(mail: Mail, sender: EmailSender, delivery: Delivery, credentials: Mapping[str, str]) -> PreparedMail:
    """Write an email in the format of its sender's provider.

    Raises:
        OurFault: no such provider, or a credential is missing or wrong.
    """
    provider = PROVIDERS.get(sender.provider)
    if provider is None:
        raise OurFault("the credential provider does not name a mail provider; docs/staff/email.md has their names")
    keyed = sender.provider == DEFAULT
    try:
        backend = _backend(provider, delivery.system.base_url, credentials)
        message = mail.for_anymail(sender)
        payload = backend.build_message_payload(message, backend.send_defaults)
        if keyed:
            payload.headers["Idempotency-Key"] = str(delivery.id)
        prepared = requests.Request(**payload.get_request_params(backend.api_url)).prepare()
    except AnymailError as error:
        # Their messages may contain the whole payload.
        raise OurFault(f"{provider.label}: the email cannot be written: {type(error).__name__}") from error
    except (requests.RequestException, UnicodeError) as error:
        raise OurFault("the system's URL or one of its credentials cannot be used") from error
    headers = {key: str(value) for key, value in prepared.headers.items() if key.lower() not in _FRAMING}
    body = prepared.body or b""
    content = body if isinstance(body, bytes) else str(body).encode()
    call = Call(cast("str", prepared.method), cast("str", prepared.url), content, headers)
    if keyed:
        return PreparedMail(call, _read_resend)
    return PreparedMail(call, lambda answer: _read(provider, backend, payload, message, answer))


def _backend(provider: MailProvider, base_url: str, credentials: Mapping[str, str]) -> Any:
    settings = {provider.key: credentials["api_key"]}
    settings |= {name: credentials[name] for name in provider.needs}
    settings |= {name: credentials[name] for name in provider.takes if name in credentials}
    # What a provider does not support, such as a header for the email's importance, is left out.
    return provider.backend(
        **settings, **(provider.fixed or {}), api_url=base_url.rstrip("/") + "/", ignore_unsupported_features=True
    )


def _read_resend(response: Response) -> MailAnswer:
    error = resend_error(response) or refused_recipient(DEFAULT, "Resend", response, {})
    return _answer(response, error, resend_id(response))


def _answer(response: Response, error: DeliveryError | None, provider_id: str) -> MailAnswer:
    return MailAnswer(response.status, response.headers, response.body, error, provider_id)


def _read(provider: MailProvider, backend: Any, payload: Any, message: Any, response: Response) -> MailAnswer:
    """Read which recipients were accepted; an answer that does not say so has accepted the email nevertheless."""
    statuses: Mapping[str, Any] = {}
    if 200 <= response.status < 300:
        if provider is PROVIDERS["postal"] and (error := refused_by_postal(response)):
            return _answer(response, error, "")
        try:
            statuses = backend.parse_recipient_status(_as_requests(response), payload, message)
        except (AnymailError, KeyError, TypeError, AttributeError):
            statuses = {}
    name = next(name for name, each in PROVIDERS.items() if each is provider)
    error = refused_recipient(name, provider.label, response, statuses)
    if error is not None or not 200 <= response.status < 300:
        return _answer(response, error, "")
    taken = next((str(each.message_id) for each in statuses.values() if each.message_id), "")
    return _answer(response, None, taken or response.headers.get("x-message-id", ""))


def _as_requests(response: Response) -> requests.Response:
    made = requests.Response()
    made.status_code = response.status
    made.headers.update(response.headers)
    made.encoding = "utf-8"
    made._content = response.body  # noqa: SLF001  (what its own adapters would read later has already been read)
    return made
