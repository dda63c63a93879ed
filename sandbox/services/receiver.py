"""A receiver of generic webhooks: `POST /webhook/{name}` takes anything from anybody and keeps it."""

from __future__ import annotations

import json
import secrets

from sandbox.config import SandboxConfig
from sandbox.storage.messages import Draft
from sandbox.wire import Call, Json, NotJson, Reply, json_reply
from sandbox.world import World


class Receiver:
    """Needs no configuration: a name is made by the first request to it."""

    slug = "webhook"

    def __init__(self, world: World) -> None:
        self._world = world

    def exists(self, config: SandboxConfig) -> bool:
        """Always."""
        return True

    def failure(self, status: int, code: int | str | None) -> Reply:
        """A fault as JSON."""
        return json_reply(status, {"error": str(code or "sandbox_fault"), "message": "The sandbox was told to fail."})

    def answer(self, call: Call) -> Reply:
        """Keep the request."""
        if not call.path.strip("/"):
            return json_reply(404, {"error": "not_found", "message": "POST /webhook/{name}"})
        if call.method != "POST":
            return json_reply(405, {"error": "method_not_allowed", "message": "POST only."}, {"Allow": "POST"})
        body: Json
        try:
            body = call.json()
            shown = json.dumps(body, indent=2, ensure_ascii=False)
        except NotJson:
            body = shown = call.body.decode("utf-8", "replace")
        received_id = "wh_" + secrets.token_hex(8)
        path = f"/{self.slug}{call.path}"
        view = {"method": "POST", "idempotency_key": call.headers.get("idempotency-key")}
        draft = Draft(received_id, self.slug, call.path.strip("/"), path, f"POST {path}\n{shown}", body, view=view)
        self._world.messages.add(draft, call)
        return json_reply(200, {"id": received_id, "status": "accepted"})
