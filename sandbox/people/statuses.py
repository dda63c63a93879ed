"""Gives a message a status now: it is read, opened, bounces, or is marked as spam."""

from __future__ import annotations

import re

from sandbox.callbacks.sender import Callback
from sandbox.services.resend import events as resend_events
from sandbox.services.resend.emails import account_name
from sandbox.services.resend.rules import recipients
from sandbox.services.twilio import callbacks as twilio_callbacks
from sandbox.services.twilio import errors as twilio_errors
from sandbox.services.twilio import service as twilio
from sandbox.services.whatsapp import callbacks as whatsapp_callbacks
from sandbox.services.whatsapp.errors import is_known
from sandbox.storage.messages import Message
from sandbox.wire import Json
from sandbox.world import World

WHATSAPP_STATUSES = ("sent", "delivered", "read", "played", "failed")
UNDELIVERABLE = 131026


class StatusRefused(ValueError):
    """The message cannot get this status; the text says why."""


class Statuses:
    """Plays the networks and the mail servers."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def happen(self, asked: dict[str, Json]) -> dict[str, Json]:
        """`{"service": "whatsapp|resend|twilio", "message": id, "status": "...", "code"?}`; the product is told now.

        `message` is the id in the log or the provider's own. `code` is WhatsApp's error for `failed`, Twilio's for
        `undelivered` or `failed`; for Resend the bounce's type (`Permanent`, `Transient`, `Undetermined`), or the
        reason for `failed` or `suppressed`.

        Returns what the product answered as `callback_status` (null: no callback URL, no handshake, or no answer).

        Raises:
            StatusRefused: when there is no such message, status or code.
        """
        service = asked.get("service")
        makers = {"whatsapp": self._of_whatsapp, "resend": self._of_resend, "twilio": self._of_twilio}
        if service not in makers:
            raise StatusRefused(f"service: must be one of {', '.join(makers)}; Slack sends no statuses")
        message = self._message(service, asked.get("message"))
        callback = makers[service](message, asked.get("status"), asked.get("code"))
        self._world.messages.set_status(message.id, asked["status"])
        return {"callback_status": await self._world.callbacks.send_once(callback) if callback else None}

    def _message(self, service: str, named: Json) -> Message:
        messages = self._world.messages
        message = messages.by_provider_id(service, named) if isinstance(named, str) else None
        if isinstance(named, int):
            message = messages.by_id(named)
        if message is None or message.service != service:
            raise StatusRefused(f"message: no {service} message has this id")
        return message

    def _of_whatsapp(self, message: Message, status: Json, code: Json) -> Callback | None:
        if status not in WHATSAPP_STATUSES:
            raise StatusRefused(f"status: must be one of {', '.join(WHATSAPP_STATUSES)}")
        if status == "failed":
            code = UNDELIVERABLE if code is None else code
            if not isinstance(code, int) or not is_known(code):
                raise StatusRefused("code: must be one of Meta's error codes")
        elif code is not None:
            raise StatusRefused("code: only failed has one")
        config = self._world.config.current().whatsapp
        for account in config.accounts if config else []:
            if account.phone_number_id == message.account:
                wa_id = re.sub(r"\D", "", message.to)
                sent = whatsapp_callbacks.Sent(message.provider_id, wa_id, message.view.get("callback_data"))
                return whatsapp_callbacks.status_callback(account, sent, status, code)
        raise StatusRefused("message: its number is no longer in sandbox.json")

    def _of_resend(self, message: Message, status: Json, code: Json) -> Callback | None:
        known = resend_events.CODES.get(status) if isinstance(status, str) else None
        if known is None:
            raise StatusRefused(f"status: must be one of {', '.join(resend_events.CODES)}")
        if code is not None and code not in known:
            raise StatusRefused(f"code: must be one of {', '.join(known)}" if known else "code: this status has none")
        config = self._world.config.current().resend
        for account in config.accounts if config else []:
            if account_name(account) == message.account:
                email = resend_events.Email(message.provider_id, message.body, recipients(message.body, "to"))
                return resend_events.event_callback(account, email, status, code)
        raise StatusRefused("message: its team is no longer in sandbox.json")

    def _of_twilio(self, message: Message, status: Json, code: Json) -> Callback | None:
        if status not in twilio_callbacks.STATUSES:
            raise StatusRefused(f"status: must be one of {', '.join(twilio_callbacks.STATUSES)}")
        if status in twilio_callbacks.FAILURES:
            code = 30003 if code is None else code
            if not isinstance(code, int) or not twilio_errors.is_late(code):
                raise StatusRefused("code: must be one of Twilio's codes for messages that were accepted")
        elif code is not None:
            raise StatusRefused(f"code: only {' and '.join(twilio_callbacks.FAILURES)} have one")
        account = twilio.account_of(self._world.config.current(), message)
        if account is None:
            raise StatusRefused("message: its account is no longer in sandbox.json")
        return twilio_callbacks.status_callback(account, message.provider_id, message.body, status, code)
