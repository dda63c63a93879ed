"""Every signature scheme of the product, and what its tests share."""

import json
import math

from integrations.signatures.base import SignatureScheme
from integrations.vendors import VENDORS
from webhooks.callbacks import PROVIDERS

SCHEMES: dict[str, SignatureScheme] = {
    **{slug: vendor.signature for slug, vendor in VENDORS.items()},
    **{slug: provider.signature for slug, provider in PROVIDERS.items()},
}
TIMED = {name: scheme for name, scheme in SCHEMES.items() if scheme.oldest_body == math.inf}
NOW = 1_780_000_000.0
BODY = json.dumps({"id": "1", "eventType": "x", "payload": {"name": "Zoë"}}, ensure_ascii=False).encode()


def received(signed: dict[str, str]) -> dict[str, list[str]]:
    """A sender's headers as the door sees them."""
    return {name.lower(): [value] for name, value in signed.items()}


def signature_header(scheme: SignatureScheme) -> str:
    """The header that another secret changes."""
    ours, others = (received(scheme.sign(BODY, scheme.new_secret(), NOW)) for _ in range(2))
    (name,) = (name for name in ours if ours[name] != others[name])
    return name
