"""Twilio's Messages API: one text message to one phone, of at most three segments.

https://www.twilio.com/docs/messaging/api/message-resource. Twilio has no idempotency keys; each message names a
``StatusCallback`` that contains our own, and its URL is signed.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import urlencode

from integrations.accounts import formats
from integrations.accounts.rules import Credential, Rate
from integrations.errors import DeliveryError, Permanent
from integrations.models import Delivery, System
from integrations.outbound import Call, Request, Response, check_status, send
from integrations.registry.senders import callback_url
from integrations.remote_reads.asking import answer_in
from integrations.systems.trials import HarmlessCall
from notifications import links
from notifications.channels.base import Composed, PersonChannel, credentials_in, usual_status_wait
from notifications.channels.sms import layout, segments
from notifications.channels.sms.errors import error_of
from notifications.wording import Content
from wedsync.weddings.models import ContactChannel

KEY = "key"
"""The parameter of the ``StatusCallback`` that contains the delivery's id."""
_FORM = "application/x-www-form-urlencoded"
_ACCOUNT_SID, _KEY_SID = re.compile(r"AC[0-9a-fA-F]{32}"), re.compile(r"SK[0-9a-fA-F]{32}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|MG[0-9a-fA-F]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")


def account_sid(value: str) -> None:
    """An account's SID; a format as in :mod:`integrations.accounts.formats`, and so are the next two."""
    if not _ACCOUNT_SID.fullmatch(value):
        raise ValueError("It must be the account's SID: AC and 32 digits of 0 to 9 and a to f.")


def key_sid(value: str) -> None:
    """An API key's SID."""
    if not _KEY_SID.fullmatch(value):
        raise ValueError("It must be the API key's SID: SK and 32 digits of 0 to 9 and a to f.")


def sender(value: str) -> None:
    """What a message may come from."""
    if not _SENDER.fullmatch(value):
        raise ValueError(
            "It must be a number such as +12025550100, a messaging service (MG…), or a name of at most 11 letters and "
            "digits."
        )


class Sms(PersonChannel):
    """One text message to one phone."""

    channel = ContactChannel.SMS
    credentials = (
        Credential("account_sid", "Account SID", "AC…, on the first page of Twilio's console.", False, account_sid),
        Credential("auth_token", "Auth token", "The account's, or an API key's secret.", check_format=formats.token),
        Credential("api_key_sid", "API key SID", "SK…, if the token is an API key's secret.", False, key_sid),
        Credential("sender", "Sender", "A number, a messaging service (MG…) or a name.", False, sender),
    )
    # https://help.twilio.com/articles/115002943027: ten a second for most senders; Twilio queues the rest.
    published_rate = Rate(10, 10)

    def needed(self, values: Mapping[str, str]) -> Sequence[str]:
        """The account, its token, and the sender."""
        return ("account_sid", "auth_token", "sender")

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Only the form's fields are stored; the form is written on sending, since it may contain our own links."""
        text = layout.text_of(content, partial(links.fill, delivery=delivery))
        request = Request("POST", "/Messages.json", json.dumps({"To": delivery.target, "Body": text}))
        return Composed(request, content.headline, text)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The whole form, with the sender and the URL for Twilio's status reports."""
        fields = json.loads(request.body)
        own = credentials["sender"]
        fields["MessagingServiceSid" if _SERVICE.fullmatch(own) else "From"] = own
        if told_at := callback_url(delivery.system):
            fields["StatusCallback"] = f"{told_at}?{urlencode({KEY: str(delivery.id)})}"
        headers = {**request.headers, **_login(credentials), "Content-Type": _FORM}
        url = _base(delivery.system, credentials) + request.path
        return Call(request.method, url, urlencode(fields).encode(), headers)

    def status_wait(self, delivery: Delivery) -> float | None:
        """A status contains our key, and so says that the message was accepted; without a connection none comes."""
        if callback_url(delivery.system) is None:
            return None
        return usual_status_wait(delivery)

    def cost(self, delivery: Delivery) -> str:
        """Twilio charges per segment; a messaging service reports their number only later."""
        text = links.fill(json.loads(Request.from_json(delivery.request or {}).body)["Body"], delivery)
        number = segments.count(text)
        return f"{number} segment{'' if number == 1 else 's'} of {segments.encoding(text)}"

    def overlong(self, lines: Sequence[str], locale: str, *, alone: bool) -> str:
        """A template for text messages alone must fit; others are cut if they are too long."""
        number = segments.count(segments.plain("\n".join(lines)))
        if not alone or number <= segments.MOST:
            return ""
        return f"With an example it takes {number} segments; a text message has at most {segments.MOST}."

    def classify(self, response: Response) -> DeliveryError | None:
        """The error that Twilio's code means."""
        return error_of(response)

    def provider_id(self, response: Response) -> str:
        """The message's ``sid``; empty if the answer has none: Twilio has still accepted the message."""
        return response.text_at("sid")

    def harmless_call(self, system: System) -> HarmlessCall | None:
        """Look up the account's numbers."""
        credentials = credentials_in(system)
        url = f"{_base(system, credentials)}/IncomingPhoneNumbers.json?PageSize=1"
        call = Call("GET", url, b"", {**_login(credentials), "Accept": "application/json"})
        return HarmlessCall(lambda deadline: send(call, deadline=deadline), _looked_up)


def _base(system: System, credentials: Mapping[str, str]) -> str:
    return f"{system.base_url.rstrip('/')}/2010-04-01/Accounts/{credentials['account_sid']}"


def _login(credentials: Mapping[str, str]) -> dict[str, str]:
    """The account's own token, or an API key."""
    user = credentials.get("api_key_sid") or credentials["account_sid"]
    pair = f"{user}:{credentials['auth_token']}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _looked_up(response: Response) -> str:
    if error := error_of(response):
        raise error
    check_status(response)
    if "incoming_phone_numbers" not in answer_in(response):
        raise Permanent("the answer lists no phone numbers")
    return ""
