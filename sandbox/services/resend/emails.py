"""Resend: `POST /emails`, `GET /emails/{id}` and `GET /domains`.

https://resend.com/docs/api-reference
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import uuid

from sandbox.config import ResendAccount, ResendConfig, SandboxConfig
from sandbox.rates import Grant
from sandbox.services.resend.events import Email, status_steps
from sandbox.services.resend.rules import ResendRefusal, check_email, recipients, refusal_for_status
from sandbox.storage.idempotency import Claim, KeyReused
from sandbox.storage.messages import Draft
from sandbox.wire import Call, Json, NotJson, Reply, json_reply
from sandbox.world import World

IDEMPOTENCY_KEY_LIMIT = 256


class Resend:
    """The emails endpoint of every configured team."""

    slug = "resend"

    def __init__(self, world: World) -> None:
        self._world = world

    def exists(self, config: SandboxConfig) -> bool:
        """Whether teams are configured."""
        return config.resend is not None

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault in Resend's error format; `code` is Resend's name for the error."""
        refusal = refusal_for_status(status, code if isinstance(code, str) else None)
        # A used-up quota comes without the header: a day or a month is not a short wait.
        return refusal.reply({"retry-after": "1"} if refusal.name == "rate_limit_exceeded" else None)

    def concurrent(self) -> Reply:
        """The refusal of a request whose `Idempotency-Key` belongs to one that is still in progress."""
        message = "The original request with this idempotency key is still in progress. Try again later."
        return ResendRefusal(409, "concurrent_idempotent_requests", message).reply()

    def answer(self, call: Call) -> Reply:
        """Accept or refuse a request."""
        config = self._world.config.current().resend
        assert config is not None
        try:
            account = _authenticate(call, config)
        except ResendRefusal as refusal:
            return refusal.reply()
        burst = max(1, int(config.rate_per_second))
        grant = self._world.buckets.take((self.slug, account.api_key), per_second=config.rate_per_second, burst=burst)
        headers = _rate_headers(grant, burst)
        try:
            if not grant.allowed:
                message = f"Too many requests. You can only make {burst} requests per second."
                raise ResendRefusal(429, "rate_limit_exceeded", message)
            reply = self._route(call, account)
        except ResendRefusal as refusal:
            return refusal.reply(headers)
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def _route(self, call: Call, account: ResendAccount) -> Reply:
        if call.path == "/emails":
            if call.method != "POST":
                raise ResendRefusal(405, "method_not_allowed", "Method is not allowed for the requested path.")
            return self._send_once(call, account)
        if account.sending_only:
            raise ResendRefusal(401, "restricted_api_key", "This API key is restricted to only send emails.")
        if call.path == "/domains" and call.method == "GET":
            return json_reply(200, {"object": "list", "has_more": False, "data": _domains(account)})
        prefix, _, email_id = call.path.rpartition("/")
        if prefix == "/emails" and call.method == "GET":
            return self._retrieve(email_id, account)
        raise ResendRefusal(404, "not_found", "The requested endpoint does not exist.")

    def _send_once(self, call: Call, account: ResendAccount) -> Reply:
        key = call.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= IDEMPOTENCY_KEY_LIMIT:
            message = f"The idempotency key must be between 1 and {IDEMPOTENCY_KEY_LIMIT} characters."
            raise ResendRefusal(400, "invalid_idempotency_key", message)
        try:
            parsed = call.json()
        except NotJson as error:
            raise ResendRefusal(400, "validation_error", "The request body is not valid JSON.") from error
        if key is None:
            return self._send(parsed, call, account)
        canonical = json.dumps(parsed, sort_keys=True).encode()
        claim = Claim(f"{self.slug}:{account_name(account)}", key, hashlib.sha256(canonical).hexdigest())
        try:
            reply = self._world.idempotency.replay(claim)
        except KeyReused as error:
            message = "Same idempotency key used with a different request payload."
            raise ResendRefusal(409, "invalid_idempotent_request", message) from error
        if reply is None:
            reply = self._send(parsed, call, account)
            self._world.idempotency.remember(claim, reply)
        return reply

    def _send(self, parsed: Json, call: Call, account: ResendAccount) -> Reply:
        body = check_email(parsed, account.domains)
        email_id = str(uuid.uuid4())
        addressed = recipients(body, "to")
        draft = Draft(
            provider_id=email_id,
            service=self.slug,
            account=account_name(account),
            to=", ".join(addressed),
            text=body.get("text") or "",
            html=body.get("html"),
            body=body,
        )
        message_id = self._world.messages.add(draft, call)
        self._world.callbacks.follow(self.slug, message_id, status_steps(account, Email(email_id, body, addressed)))
        return json_reply(200, {"id": email_id})

    def _retrieve(self, email_id: str, account: ResendAccount) -> Reply:
        message = self._world.messages.by_provider_id(self.slug, email_id)
        if message is None or message.account != account_name(account):
            raise ResendRefusal(404, "not_found", "Email not found")
        body = message.body
        found: dict[str, Json] = {"object": "email", "id": email_id, "created_at": message.received_at}
        found |= {name: recipients(body, name) for name in ("to", "cc", "bcc", "reply_to")}
        found |= {name: body.get(name) for name in ("from", "subject", "html", "text", "scheduled_at")}
        return json_reply(200, found | {"tags": body.get("tags", []), "last_event": message.status})


def _authenticate(call: Call, config: ResendConfig) -> ResendAccount:
    if not call.headers.get("user-agent"):
        raise ResendRefusal(403, "validation_error", "A User-Agent header is required.")
    token = call.bearer()
    if token is None:
        message = "Missing API key in the authorization header. Include it as `Bearer re_...`."
        raise ResendRefusal(401, "missing_api_key", message)
    for account in config.accounts:
        if secrets.compare_digest(account.api_key.encode(), token.encode()):
            return account
    raise ResendRefusal(403, "invalid_api_key", "API key is invalid")


def _domains(account: ResendAccount) -> list[Json]:
    return [
        {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "name": name, "status": "verified", "region": "eu-west-1"}
        for name in account.domains
    ]


def account_name(account: ResendAccount) -> str:
    """A team's name in the log."""
    # Keys are secrets, and anybody may look at what is stored.
    return hashlib.sha256(account.api_key.encode()).hexdigest()[:16]


def _rate_headers(grant: Grant, limit: int) -> dict[str, str]:
    headers = {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": str(grant.remaining),
        "ratelimit-reset": str(math.ceil(grant.reset_after)),
    }
    return headers if grant.allowed else headers | {"retry-after": str(math.ceil(grant.retry_after))}
