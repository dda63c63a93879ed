"""The browsers: those of `sandbox.json`, and those that `POST /_/subscriptions` makes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.services.web_push.encryption import decoded, encoded, point_of, private_key
from sandbox.wire import Json
from sandbox.world import World

SLUG, KIND = "web_push", "subscription"


@dataclass(frozen=True)
class Browser:
    """A browser with a subscription: the last part of its endpoint, its name, its keys, and whose messages it takes."""

    token: str
    name: str
    private: str
    auth: str
    server_key: str
    ended: bool = False

    @cached_property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """Its private key."""
        return private_key(self.private)

    def subscription(self, origin: str) -> dict[str, Json]:
        """What its page would get from `pushManager.subscribe()`, as JSON."""
        keys = {"p256dh": encoded(point_of(self.key.public_key())), "auth": self.auth}
        return {"endpoint": f"{origin}/{SLUG}/send/{self.token}", "expirationTime": None, "keys": keys}


def subscribe(world: World, name: str, server_key: str) -> Browser:
    """A new subscription in a browser of this name, with keys that it makes."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    made = Browser(
        secrets.token_urlsafe(24),
        name,
        encoded(number.to_bytes(32, "big")),
        encoded(secrets.token_bytes(16)),
        server_key,
    )
    fields = {"name": name, "private_key": made.private, "auth": made.auth, "server_key": server_key, "ended": False}
    world.records.merge(SLUG, KIND, made.token, fields)
    return made


def end(world: World, token: str) -> bool:
    """Its owner withdraws the permission: the push service answers 410 from now on. False where there is none."""
    browser = find(world, token)
    if browser is None:
        return False
    fields = {"name": browser.name, "private_key": browser.private, "auth": browser.auth, "ended": True}
    world.records.merge(SLUG, KIND, token, {**fields, "server_key": browser.server_key})
    return True


def find(world: World, token: str) -> Browser | None:
    """The browser whose endpoint ends in this token."""
    stored = world.records.matching(SLUG, KIND, "id", token)
    if record := next((each for each in stored if each["id"] == token), None):
        name, private, auth, server_key = (str(record[name]) for name in ("name", "private_key", "auth", "server_key"))
        return Browser(token, name, private, auth, server_key, bool(record["ended"]))
    config = world.config.current().web_push
    for each in config.subscriptions if config else []:
        if each.token == token:
            return Browser(token, each.name, each.private_key, each.auth, each.server_key)
    return None


def is_key(text: str) -> bool:
    """Whether a text is a public key of P-256 as a page names it."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(text))
    except ValueError:
        return False
    return True
