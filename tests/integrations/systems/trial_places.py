"""Systems at the sandbox, with credentials that are right but for one."""

from __future__ import annotations

from typing import Any

from integrations.models import System
from integrations.systems.trials import Trial
from integrations.vendors import VENDORS
from tests.factories import SystemFactory
from tests.sandbox.sandbox_peer import (
    PHONE,
    RESEND_KEY,
    SECRET,
    SLACK_PATH,
    TOKEN,
    TWILIO_NUMBER,
    TWILIO_SID,
    TWILIO_TOKEN,
    VENDOR_TOKEN,
    Peer,
)

MAY_ONLY_SEND = "re_only_sends"
WRONG = "zebra-Quartz-7731"
RIGHT: dict[str, dict[str, str]] = {
    "whatsapp": {"access_token": TOKEN, "phone_number_id": PHONE},
    "slack": {"webhook_path": SLACK_PATH},
    "sms": {"account_sid": TWILIO_SID, "auth_token": TWILIO_TOKEN, "sender": TWILIO_NUMBER},
    "email": {"api_key": RESEND_KEY, "from": "Lakeside <hello@wedsync.example>"},
    "webhook": {"signing_secret": SECRET},
    "web_push": {},
} | {slug: {"access_token": VENDOR_TOKEN, "signing_secret": SECRET} for slug in VENDORS}
PLACES = {"email": "resend", "sms": "twilio", "webhook": "webhook/lakeside"}


def system_at(outside: Peer, kind: str, credentials: dict[str, str] | None = None, **rest: Any) -> System:
    """One whose credentials are right, but for those given."""
    url = f"{outside.url}/{PLACES.get(kind, kind)}"
    made: System = SystemFactory(
        kind=kind, **{"base_url": url, "credentials": RIGHT[kind] | (credentials or {}), **rest}
    )
    return made


def text_of(trial: Trial) -> str:
    return f"{trial.result.label} {trial.said} {trial.advice}"


def asked(outside: Peer, kind: str) -> list[dict[str, Any]]:
    """What reached the sandbox."""
    rows: list[dict[str, Any]] = outside.request_log(PLACES.get(kind, kind).split("/", maxsplit=1)[0])["rows"]
    return rows
