"""WhatsApp Business Cloud API: `POST /{version}/{phone_number_id}/messages`; templates and numbers can be read.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.config import SandboxConfig, WhatsAppAccount, WhatsAppConfig, WhatsAppTemplate
from sandbox.services.whatsapp import callbacks, failing_numbers, templates
from sandbox.services.whatsapp.errors import (
    ACCESS_TOKEN,
    INVALID_PARAMETER,
    PAIR_RATE,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    RECIPIENT_IS_SENDER,
    THROUGHPUT,
    UNSUPPORTED_TYPE,
    WINDOW_CLOSED,
    GraphError,
    error_for_status,
)
from sandbox.services.whatsapp.management import list_templates, submit_template
from sandbox.services.whatsapp.numbers import wa_id_of
from sandbox.storage.messages import Draft
from sandbox.wire import Call, Json, NotJson, Reply, json_reply
from sandbox.world import World

CALLBACK_DATA = "biz_opaque_callback_data"
TEXT_LIMIT = 4096
CALLBACK_DATA_LIMIT = 512
_PATH = re.compile(r"/v\d{1,3}\.\d{1,2}/(?P<phone_number_id>\d+)/messages")
_NUMBER_PATH = re.compile(r"/v\d{1,3}\.\d{1,2}/(?P<phone_number_id>\d+)")
_TEMPLATES_PATH = re.compile(r"/v\d{1,3}\.\d{1,2}/(?P<waba_id>\d+)/message_templates")
_E164 = re.compile(r"\+?([1-9]\d{6,14})")


@dataclass(frozen=True)
class Content:
    """A message as a person sees it: its text, and what the page draws around it."""

    text: str
    view: dict[str, Json] = field(default_factory=dict)
    message_status: str | None = None
    """Meta gives one only to templates."""


class WhatsApp:
    """The messages endpoint of every configured number."""

    slug = "whatsapp"

    def __init__(self, world: World) -> None:
        self._world = world
        self._submitted: dict[str, list[WhatsAppTemplate]] = {}

    def exists(self, config: SandboxConfig) -> bool:
        """Whether numbers are configured."""
        return config.whatsapp is not None

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault in Meta's error format; `code` is Meta's."""
        return error_for_status(status, code if isinstance(code, int) else None)

    def answer(self, call: Call) -> Reply:
        """Accept or refuse a message."""
        config = self._world.config.current().whatsapp
        assert config is not None
        try:
            owned = _owned(call, config)
            asked = _TEMPLATES_PATH.fullmatch(call.path)
            if asked is not None and call.method in ("GET", "POST"):
                return self._manage(asked["waba_id"], owned, call)
            number = _NUMBER_PATH.fullmatch(call.path)
            if number is not None and call.method == "GET":
                return _public(_of_id(number["phone_number_id"], owned))
            return self._take(call, _account(call, owned), config)
        except GraphError as error:
            return error.reply()

    def _manage(self, waba_id: str, owned: list[WhatsAppAccount], call: Call) -> Reply:
        mine = [each for each in owned if each.waba_id == waba_id]
        if not mine:
            raise _no_object(waba_id)
        submitted = self._submitted.setdefault(waba_id, [])
        if call.method == "GET":
            return list_templates(mine, submitted, call)
        known = [*(each for account in mine for each in account.templates), *submitted]
        template, reply = submit_template(known, waba_id, call)
        submitted.append(template)
        return reply

    def _take(self, call: Call, account: WhatsAppAccount, config: WhatsAppConfig) -> Reply:
        body = _body(call)
        wa_id = _recipient(body, account)
        content = self._content(body, account, wa_id, call.received_at)
        self._check_rates(account, wa_id, config)
        refusal = failing_numbers.refused_at_once(wa_id)
        if refusal is not None:
            raise GraphError(refusal, "This number is refused immediately.")
        wamid = _new_wamid(wa_id)
        view = content.view | {"phone_number_id": account.phone_number_id, "callback_data": body.get(CALLBACK_DATA)}
        draft = Draft(wamid, self.slug, account.phone_number_id, f"+{wa_id}", content.text, body, view=view)
        message_id = self._world.messages.add(draft, call)
        sent = callbacks.Sent(wamid, wa_id, body.get(CALLBACK_DATA))
        message: dict[str, Json] = {"id": wamid}
        if content.message_status is not None:
            message["message_status"] = content.message_status
        if content.message_status in (None, "accepted"):
            self._world.callbacks.follow(self.slug, message_id, callbacks.status_steps(account, sent))
        contacts = [{"input": body["to"], "wa_id": wa_id}]
        return json_reply(200, {"messaging_product": "whatsapp", "contacts": contacts, "messages": [message]})

    def _content(self, body: dict[str, Json], account: WhatsAppAccount, wa_id: str, now: float) -> Content:
        kind = body.get("type", "text")
        if kind == "template":
            known = [*account.templates, *self._submitted.get(account.waba_id, [])]
            return _template_content(body.get("template"), known)
        if kind != "text":
            raise GraphError(UNSUPPORTED_TYPE, f"Message type {kind!r} is not currently supported.")
        part = body.get("text")
        text = part.get("body") if isinstance(part, dict) else None
        if not isinstance(text, str) or not text:
            raise GraphError(PARAMETER_MISSING, "The parameter text['body'] is required.")
        if len(text) > TEXT_LIMIT:
            raise GraphError(PARAMETER_INVALID, f"text['body'] must be at most {TEXT_LIMIT} characters long.")
        if not self._world.windows.is_open(account.phone_number_id, wa_id, now):
            details = "Message failed to send because more than 24 hours have passed since the customer last replied."
            raise GraphError(WINDOW_CLOSED, details)
        return Content(text)

    def _check_rates(self, account: WhatsAppAccount, wa_id: str, config: WhatsAppConfig) -> None:
        take = self._world.buckets.take
        number = (self.slug, account.phone_number_id)
        if not take(number, per_second=config.rate_per_second, burst=max(1, int(config.rate_per_second))).allowed:
            raise GraphError(THROUGHPUT, "Cloud API message throughput has been reached.", subcode=2494055)
        if not take((*number, wa_id), per_second=1 / config.pair_seconds, burst=config.pair_burst).allowed:
            raise GraphError(PAIR_RATE, "Too many messages sent from this number to the same recipient.")


def _owned(call: Call, config: WhatsAppConfig) -> list[WhatsAppAccount]:
    token = (call.bearer() or "").encode()
    owned = [each for each in config.accounts if secrets.compare_digest(each.access_token.encode(), token)]
    if not owned:
        raise GraphError(ACCESS_TOKEN, "The access token is missing or unknown.")
    return owned


def _account(call: Call, owned: list[WhatsAppAccount]) -> WhatsAppAccount:
    match = _PATH.fullmatch(call.path)
    if match is None or call.method != "POST":
        raise GraphError(INVALID_PARAMETER, "Unsupported request: POST /{version}/{phone_number_id}/messages.")
    return _of_id(match["phone_number_id"], owned)


def _of_id(number: str, owned: list[WhatsAppAccount]) -> WhatsAppAccount:
    for account in owned:
        if account.phone_number_id == number:
            return account
    raise _no_object(number)


def _public(account: WhatsAppAccount) -> Reply:
    return json_reply(
        200,
        {
            "verified_name": "Sandbox",
            "display_phone_number": account.display_phone_number,
            "quality_rating": "GREEN",
            "id": account.phone_number_id,
        },
    )


def _no_object(number: str) -> GraphError:
    details = f"Object with ID '{number}' does not exist or cannot be loaded for this token."
    return GraphError(INVALID_PARAMETER, details, subcode=33)


def _body(call: Call) -> dict[str, Json]:
    try:
        body = call.json()
    except NotJson as error:
        raise GraphError(INVALID_PARAMETER, f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise GraphError(INVALID_PARAMETER, "The body must be a JSON object.")
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(INVALID_PARAMETER, "The parameter messaging_product must be 'whatsapp'.")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphError(PARAMETER_INVALID, "recipient_type must be 'individual'.")
    data = body.get(CALLBACK_DATA, "")
    if not isinstance(data, str) or len(data) > CALLBACK_DATA_LIMIT:
        raise GraphError(PARAMETER_INVALID, f"{CALLBACK_DATA} must have at most {CALLBACK_DATA_LIMIT} characters.")
    return body


def _recipient(body: dict[str, Json], account: WhatsAppAccount) -> str:
    to = body.get("to")
    if not to:
        raise GraphError(PARAMETER_MISSING, "The parameter to is required.")
    match = _E164.fullmatch(to) if isinstance(to, str) else None
    if match is None:
        raise GraphError(PARAMETER_INVALID, "to must be a phone number in E.164 form.")
    if match[1] == re.sub(r"\D", "", account.display_phone_number):
        raise GraphError(RECIPIENT_IS_SENDER, "The recipient's number is the sender's own.")
    return wa_id_of(match[1])


def _template_content(template: Json, known: Sequence[WhatsAppTemplate]) -> Content:
    if not isinstance(template, dict) or not isinstance(template.get("name"), str):
        raise GraphError(PARAMETER_MISSING, "The parameter template['name'] is required.")
    language = template.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    if not isinstance(code, str) or not code:
        raise GraphError(PARAMETER_MISSING, "The parameter template['language']['code'] is required.")
    chosen = templates.choose(known, template["name"], code)
    filled = templates.fill(chosen, template.get("components", []))
    view = {"template": chosen.name, "language": code, "header": filled.header, "footer": filled.footer}
    return Content(filled.body, view | {"buttons": filled.buttons}, chosen.message_status)


def _new_wamid(wa_id: str) -> str:
    raw = b"\x1d\x07" + bytes([len(wa_id)]) + wa_id.encode() + b"\x15\x02\x00\x11\x18\x12" + secrets.token_bytes(9)
    return "wamid." + base64.b64encode(raw).decode()
