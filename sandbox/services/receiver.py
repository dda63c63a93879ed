"""A receiver of generic webhooks: `POST /webhook/{name}` accepts anything and keeps the newest requests.

Anybody may send, unless `sandbox.json` gives the receiver a token or a signing secret.
"""

from __future__ import annotations

import json
import secrets

from sandbox.config import SandboxConfig
from sandbox.services.vendors.systems import seen_on
from sandbox.signatures import SignatureRefused, check_standard_webhooks
from sandbox.storage.messages import Draft
from sandbox.wire import Call, Json, NotJson, Reply, json_reply
from sandbox.world import World

MESSAGES_KEPT = 1000
_PRUNE_EACH = 200


class Receiver:
    """Needs no configuration: the first request to a name creates it."""

    slug = "webhook"

    def __init__(self, world: World) -> None:
        self._world = world

    def exists(self, config: SandboxConfig) -> bool:
        """Always."""
        return True

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault as JSON."""
        return _refused(status or 503, str(code or "sandbox_fault"), "The sandbox was told to fail.")

    def answer(self, call: Call) -> Reply:
        """Keep the request."""
        name = call.path.strip("/")
        if not name:
            return _refused(404, "not_found", "POST /webhook/{name}")
        if call.method != "POST":
            return json_reply(405, {"error": "method_not_allowed", "message": "POST only."}, {"Allow": "POST"})
        refusal = self._refusal(name, call)
        if refusal is not None:
            return refusal
        body: Json
        try:
            body = call.json()
            shown = json.dumps(body, indent=2, ensure_ascii=False)
        except NotJson:
            body = shown = call.body.decode("utf-8", "replace")
        received_id = "wh_" + secrets.token_hex(8)
        path = f"/{self.slug}{call.path}"
        view = {"method": "POST"} | seen_on(call, body)
        draft = Draft(received_id, self.slug, name, path, f"POST {path}\n{shown}", body, view=view)
        number = self._world.messages.add(draft, call)
        if number % _PRUNE_EACH == 0:
            self._world.messages.keep_newest(self.slug, MESSAGES_KEPT)
        return json_reply(200, {"id": received_id, "status": "accepted"})

    def _refusal(self, name: str, call: Call) -> Reply | None:
        wanted = self._world.config.current().receivers.get(name)
        if wanted is None:
            return None
        if wanted.access_token and not secrets.compare_digest(call.bearer() or "", wanted.access_token):
            return _refused(401, "unauthorized", "The access token is missing or unknown.")
        try:
            if wanted.signing_secret:
                check_standard_webhooks(wanted.signing_secret, dict(call.headers), call.body, call.received_at)
        except SignatureRefused as refused:
            return _refused(401, "invalid_signature", f"{refused}.")
        return None


def _refused(status: int, error: str, message: str) -> Reply:
    return json_reply(status, {"error": error, "message": message})
