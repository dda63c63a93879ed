"""What the demo generates once and keeps: passwords, tokens, secrets, phone numbers. Nothing here is a constant."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wedsync.runner.home import vapid_key


def _token() -> str:
    return secrets.token_urlsafe(24)


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _digits(count: int) -> str:
    return "".join(str(secrets.randbelow(10)) for _ in range(count))


def _slack_path() -> str:
    return f"T{secrets.token_hex(5).upper()}/B{secrets.token_hex(5).upper()}/{secrets.token_hex(12)}"


@dataclass(frozen=True)
class VendorSecrets:
    """A vendor's values: what we send it (``token``, ``signing``), what it signs with, and its id of the wedding."""

    token: str
    signing: str
    inbound: str
    booking: str = ""


@dataclass(frozen=True)
class DemoSecrets:
    """Generated at the first start, read at each later one."""

    admin_password: str = field(default_factory=_token)
    api_token: str = field(default_factory=lambda: "wsk_" + secrets.token_urlsafe(32))
    whatsapp_token: str = field(default_factory=lambda: "EAAG" + secrets.token_hex(24))
    whatsapp_number_id: str = field(default_factory=lambda: "1" + _digits(14))
    whatsapp_app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    whatsapp_verify_token: str = field(default_factory=_token)
    slack_signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    slack_coordination: str = field(default_factory=_slack_path)
    slack_planning: str = field(default_factory=_slack_path)
    slack_catering: str = field(default_factory=_slack_path)
    twilio_account_sid: str = field(default_factory=lambda: "AC" + secrets.token_hex(16))
    twilio_token: str = field(default_factory=lambda: secrets.token_hex(16))
    push_token: str = field(default_factory=_token)
    push_private_key: str = field(default_factory=vapid_key)
    push_auth: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    resend_key: str = field(default_factory=lambda: "re_" + secrets.token_urlsafe(24))
    resend_webhook_secret: str = field(default_factory=_webhook_secret)
    studio_cloud_token: str = field(default_factory=_token)
    studio_cloud_signing: str = field(default_factory=_webhook_secret)
    studio_cloud_inbound: str = field(default_factory=_token)
    studio_cloud_booking: str = field(default_factory=lambda: f"SC-{_digits(5)}")
    shootq_token: str = field(default_factory=_token)
    shootq_signing: str = field(default_factory=_webhook_secret)
    shootq_inbound: str = field(default_factory=_token)
    iris_works_token: str = field(default_factory=_token)
    iris_works_signing: str = field(default_factory=_webhook_secret)
    iris_works_inbound: str = field(default_factory=_webhook_secret)
    venue_master_token: str = field(default_factory=_token)
    venue_master_signing: str = field(default_factory=_webhook_secret)
    venue_master_inbound: str = field(default_factory=_token)
    venue_master_booking: str = field(default_factory=lambda: f"BK-{_digits(5)}")
    party_rental_token: str = field(default_factory=_token)
    party_rental_signing: str = field(default_factory=_webhook_secret)
    party_rental_inbound: str = field(default_factory=_token)

    def of_vendor(self, slug: str) -> VendorSecrets:
        """The values of one vendor, by its slug."""
        parts = [part for part in VendorSecrets.__dataclass_fields__ if hasattr(self, f"{slug}_{part}")]
        return VendorSecrets(**{part: getattr(self, f"{slug}_{part}") for part in parts})


def load_or_make(path: Path) -> DemoSecrets:
    """The demo's secrets; those missing from the file are generated and added."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = DemoSecrets(**{name: value for name, value in known.items() if name in DemoSecrets.__dataclass_fields__})
    write_private(path, asdict(found))
    return found


def write_private(path: Path, content: object) -> None:
    """Write JSON that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
    draft.replace(path)
