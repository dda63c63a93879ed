"""How a mail provider is asked whether it accepts the credentials, without sending an email.

Only calls that every key of a provider may make, or whose refusal says that the key is known: a key that may only send
is the right one here. The other providers have no such call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from integrations.errors import DeliveryError, Permanent
from integrations.models import System
from integrations.outbound import Call, Response, check_status, send
from integrations.remote_reads.asking import answer_in
from integrations.systems.trials import HarmlessCall, TrialRefused
from notifications.channels.email import smtp
from notifications.channels.email.answers import MailAnswer, error_name, resend_error
from notifications.channels.email.sender import DEFAULT, EmailSender

_NO_SENDING = frozenset({"not_started", "pending", "failed"})
_MAY_ONLY_SEND = "The key may only send, so whether the sender's domain is verified was not seen."


@dataclass(frozen=True)
class _Asked:
    """A GET. ``header``, ``before``: where the key is written; ``answers``: a field that the answer has."""

    path: str
    header: str
    before: str
    answers: str


_CALLS = {
    "resend": _Asked("domains", "Authorization", "Bearer ", "data"),
    "postmark": _Asked("server", "X-Postmark-Server-Token", "", "ID"),
    "sendgrid": _Asked("scopes", "Authorization", "Bearer ", "scopes"),
    "brevo": _Asked("account", "api-key", "", "email"),
}
"""https://resend.com/docs/api-reference/domains/list-domains, https://postmarkapp.com/developer/api/server-api,
https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access,
https://developers.brevo.com/reference/get-account."""


def harmless_call(system: System, credentials: Mapping[str, str]) -> HarmlessCall | None:
    """The call; ``None``: the provider has no such call.

    Raises:
        DeliveryError: a credential is missing or cannot be used.
    """
    sender = EmailSender.of(credentials)
    if sender.provider == "smtp":
        return _by_smtp(smtp.Server.of(credentials))
    asked = _CALLS.get(sender.provider)
    if asked is None:
        return None
    headers = {"Accept": "application/json", asked.header: f"{asked.before}{credentials['api_key']}"}
    call = Call("GET", f"{system.base_url.rstrip('/')}/{asked.path}", b"", headers)

    def judge(response: Response) -> str:
        if sender.provider == DEFAULT:
            if error_name(response) == "restricted_api_key":
                return _MAY_ONLY_SEND
            _raise(resend_error(response))
        check_status(response)
        answer = answer_in(response)
        if asked.answers not in answer:
            raise Permanent(f"the answer has no “{asked.answers}”")
        return _domain(answer, sender) if sender.provider == DEFAULT else ""

    return HarmlessCall(lambda deadline: send(call, deadline=deadline), judge)


def _by_smtp(server: smtp.Server) -> HarmlessCall:
    def judge(response: Response) -> str:
        _raise(response.error if isinstance(response, MailAnswer) else None)
        return "" if server.username else "No user name is stored, so the server was greeted and no login was tried."

    return HarmlessCall(lambda deadline: smtp.log_in(server, deadline=deadline), judge)


def _domain(answer: Mapping[str, Any], sender: EmailSender) -> str:
    """Check that Resend sends for the sender's domain, as far as the first page of domains shows it.

    Raises:
        Unfit: it does not.
    """
    ours = parseaddr(sender.mailbox)[1].rpartition("@")[2].lower()
    listed = answer["data"] if isinstance(answer["data"], list) else []
    states = {str(each.get("name")).lower(): each.get("status") for each in listed if isinstance(each, dict)}
    if ours in states:
        known = states[ours] not in _NO_SENDING
    elif answer.get("has_more"):
        return "Whether the sender's domain is verified was not seen, since the list of domains is long."
    else:
        known = False
    if not known:
        raise TrialRefused(
            "Resend knows the key, but does not send for the sender's domain",
            "Verify the domain at Resend, or change the sender on the system's page. Then try again.",
        )
    return ""


def _raise(error: DeliveryError | None) -> None:
    if error is not None:
        raise error
