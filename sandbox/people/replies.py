"""How people respond to messages: they reply by WhatsApp or SMS, or press a button. The product is told, signed."""

from __future__ import annotations

import re
import time

from sandbox.config import WhatsAppAccount
from sandbox.services.slack import webhooks as slack
from sandbox.services.twilio import callbacks as twilio_callbacks
from sandbox.services.twilio import service as twilio
from sandbox.services.whatsapp import callbacks as whatsapp_callbacks
from sandbox.services.whatsapp.numbers import wa_id_of
from sandbox.storage.messages import Message
from sandbox.wire import Json
from sandbox.world import World


class ReplyRefused(ValueError):
    """The reply does not fit the message; the text says why."""


class Replies:
    """Plays the people."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def send(self, reply: dict[str, Json]) -> dict[str, Json]:
        """Send one reply and return what the product answered (`callback_status` null: no callback URL, no handshake,
        or no answer).

        WhatsApp: `{"service":"whatsapp", "message": id, "text": "..."}` answers a message, `"button": n` instead of the
        text presses its n-th button, `"from": "+1..."` instead of the message starts a conversation, `"user_name":
        "..."` hides the number. Each opens the 24-hour window. Slack: `{"service":"slack", "message": id,
        "action_id": "...", "user"?: "..."}`. Twilio: `{"service":"twilio", "message": id, "text": "..."}`, or `"from"`
        instead of the message; Twilio itself obeys STOP and START first.

        Raises:
            ReplyRefused: when there is no such message, button or account.
        """
        match reply.get("service"):
            case "whatsapp":
                return await self._from_whatsapp(reply)
            case "slack":
                return await self._from_slack(reply)
            case "twilio":
                return await self._from_twilio(reply)
        raise ReplyRefused("service: must be whatsapp, slack or twilio")

    async def _from_whatsapp(self, reply: dict[str, Json]) -> dict[str, Json]:
        message = self._message("whatsapp", reply) if "message" in reply else None
        account = self._whatsapp_account(message.account if message else reply.get("phone_number_id"))
        wa_id = wa_id_of(re.sub(r"\D", "", message.to if message else str(reply.get("from", ""))))
        if not re.fullmatch(r"[1-9]\d{6,14}", wa_id):
            raise ReplyRefused("from: must be a phone number in E.164 form")
        content = _whatsapp_content(reply, message)
        if message is not None:
            shown = content["text"]["body"] if content["type"] == "text" else content["button"]["text"]
            self._world.messages.add_reply(message.id, shown)
        if message is not None and message.status != "read":
            self._world.messages.set_status(message.id, "read")
            sent = whatsapp_callbacks.Sent(message.provider_id, wa_id, message.view.get("callback_data"))
            read = whatsapp_callbacks.status_callback(account, sent, "read")
            if read is not None:
                await self._world.callbacks.send_once(read)
        self._world.windows.open(account.phone_number_id, wa_id, time.time())
        context = message.provider_id if message else None
        user_name = str(reply.get("user_name") or "")
        callback = whatsapp_callbacks.reply_callback(account, wa_id, content, context, user_name)
        answered = await self._world.callbacks.report_press("whatsapp", callback) if callback else None
        return {"callback_status": answered}

    async def _from_slack(self, reply: dict[str, Json]) -> dict[str, Json]:
        message = self._message("slack", reply)
        config = self._world.config.current().slack
        if config is None:
            raise ReplyRefused("slack is not in sandbox.json")
        element = _slack_button(message, reply.get("action_id"))
        user = str(reply.get("user") or "planner")
        self._world.messages.add_reply(message.id, f"{user} pressed {element['text']['text']}")
        callback = slack.interaction(config, message, element, user)
        answered = await self._world.callbacks.report_press("slack", callback) if callback else None
        return {"callback_status": answered}

    async def _from_twilio(self, reply: dict[str, Json]) -> dict[str, Json]:
        message = self._message("twilio", reply) if "message" in reply else None
        account = twilio.account_of(self._world.config.current(), message)
        if account is None:
            raise ReplyRefused("message: its account is not in sandbox.json")
        sender, text = message.to if message else reply.get("from"), reply.get("text")
        if not isinstance(sender, str) or not re.fullmatch(r"\+[1-9]\d{6,14}", sender):
            raise ReplyRefused("from: must be a phone number in E.164 form")
        if not isinstance(text, str) or not text.strip():
            raise ReplyRefused("text: must be a non-empty string")
        number = twilio_callbacks.number_of(message, account) if message else account.numbers[0]
        if message is not None:
            self._world.messages.add_reply(message.id, text)
        callback = twilio.write_back(self._world, account, sender, number, text)
        answered = await self._world.callbacks.report_press("twilio", callback) if callback else None
        return {"callback_status": answered}

    def _message(self, service: str, reply: dict[str, Json]) -> Message:
        number = reply.get("message")
        message = self._world.messages.by_id(number) if isinstance(number, int) else None
        if message is None or message.service != service:
            raise ReplyRefused(f"message: no {service} message has this id")
        return message

    def _whatsapp_account(self, phone_number_id: Json) -> WhatsAppAccount:
        config = self._world.config.current().whatsapp
        for account in config.accounts if config else []:
            if phone_number_id in (None, account.phone_number_id):
                return account
        raise ReplyRefused("phone_number_id: not in sandbox.json")


def _whatsapp_content(reply: dict[str, Json], message: Message | None) -> dict[str, Json]:
    if "button" not in reply:
        text = reply.get("text")
        if not isinstance(text, str) or not text.strip():
            raise ReplyRefused("text: must be a non-empty string")
        return {"type": "text", "text": {"body": text}}
    buttons = message.view.get("buttons", []) if message else []
    number = reply["button"]
    if not isinstance(number, int) or not 0 <= number < len(buttons) or "payload" not in buttons[number]:
        raise ReplyRefused("button: the message has no such quick reply")
    button = buttons[number]
    return {"type": "button", "button": {"payload": button["payload"], "text": button["text"]}}


def _slack_button(message: Message, action_id: Json) -> dict[str, Json]:
    for block in message.body.get("blocks", []):
        for element in [*block.get("elements", []), block.get("accessory")]:
            if isinstance(element, dict) and element.get("type") == "button" and element.get("action_id") == action_id:
                return element | {"block_id": block.get("block_id", "")}
    raise ReplyRefused("action_id: the message has no such button")
