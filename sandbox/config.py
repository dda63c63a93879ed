"""`sandbox.json`: which accounts exist outside, with their credentials, templates and callback URLs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE_NAME = "sandbox.json"


class ConfigError(Exception):
    """The file is missing or malformed. The text names the place but never a value, since values are secrets."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TemplateButton(_Part):
    """A button of a WhatsApp template: `quick_reply`, `url` or `phone_number`."""

    type: str
    text: str
    url: str = ""


class WhatsAppTemplate(_Part):
    """A template; the placeholders of `body` and `header` are `{{1}}` or `{{name}}`.

    `status` is the state of Meta's review. `message_status` is in the answer to a message that uses the template:
    unless it is `accepted`, Meta holds the message back, and no status follows by itself.
    """

    name: str
    language: str
    body: str
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] = "UTILITY"
    status: Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"] = "APPROVED"
    message_status: Literal["accepted", "held_for_quality_assessment", "paused"] = "accepted"
    header: str = ""
    footer: str = ""
    buttons: list[TemplateButton] = []


class WhatsAppAccount(_Part):
    """A business phone number."""

    phone_number_id: str
    access_token: str
    display_phone_number: str
    app_secret: str = ""
    verify_token: str = ""
    waba_id: str = "102290129340398"
    callback_url: str | None = None
    templates: list[WhatsAppTemplate] = []


class WhatsAppConfig(_Part):
    """All numbers, and Meta's rates: 80 messages/s for a number; for a pair one every 6 s, in bursts of up to 45."""

    accounts: list[WhatsAppAccount]
    rate_per_second: float = Field(default=80, gt=0)
    pair_seconds: float = Field(default=6, gt=0)
    pair_burst: int = Field(default=45, ge=1)


class SlackWebhook(_Part):
    """An incoming webhook: `path` is `T.../B.../secret`, and belongs to exactly one channel."""

    path: str
    channel: str


class SlackConfig(_Part):
    """One app: its webhooks, and the URL for its interactions."""

    webhooks: list[SlackWebhook]
    signing_secret: str = ""
    callback_url: str | None = None
    rate_per_second: float = Field(default=1, gt=0)
    burst: int = Field(default=10, ge=1)


class ResendAccount(_Part):
    """A Resend team: its key and the domains that it has verified. `sending_only`: the key may only send."""

    api_key: str
    sending_only: bool = False
    domains: list[str]
    webhook_secret: str = ""
    callback_url: str | None = None


class ResendConfig(_Part):
    """All teams, and the rate of each."""

    accounts: list[ResendAccount]
    rate_per_second: float = Field(default=10, ge=1)


class TwilioAccount(_Part):
    """An account: its numbers, its messaging services, and the URL to which it posts what people write.

    `api_keys`: their SIDs and secrets. `tells_opt_outs`: its opt-out service reports STOP and START to the product.
    """

    account_sid: str
    auth_token: str
    numbers: list[str] = Field(min_length=1)
    alphanumeric_senders: list[str] = []
    messaging_services: list[str] = []
    api_keys: dict[str, str] = {}
    tells_opt_outs: bool = True
    callback_url: str | None = None


class TwilioConfig(_Part):
    """All accounts, and the rate at which each may call."""

    accounts: list[TwilioAccount]
    rate_per_second: float = Field(default=100, gt=0)


class PushSubscription(_Part):
    """A browser's subscription and private keys. `token`: its endpoint's last part; `server_key`: who may send."""

    token: str = Field(min_length=16)
    name: str
    private_key: str
    auth: str
    server_key: str


class WebPushConfig(_Part):
    """The push service: its browsers, the largest payload, and the rate for each browser."""

    subscriptions: list[PushSubscription] = []
    largest: int = Field(default=4096, ge=1)
    rate_per_second: float = Field(default=100, gt=0)


class VendorConfig(_Part):
    """A vendor's system: the token it requires and, unless empty, the secret with which requests are signed."""

    access_token: str
    signing_secret: str | None = None


class ReceiverConfig(_Part):
    """A receiver of generic webhooks that requires a token, or a signature."""

    access_token: str | None = None
    signing_secret: str | None = None


class SandboxConfig(_Part):
    """The whole file. A service that is missing here does not exist in the sandbox."""

    whatsapp: WhatsAppConfig | None = None
    slack: SlackConfig | None = None
    resend: ResendConfig | None = None
    twilio: TwilioConfig | None = None
    web_push: WebPushConfig | None = None
    studio_cloud: VendorConfig | None = None
    shootq: VendorConfig | None = None
    iris_works: VendorConfig | None = None
    venue_master: VendorConfig | None = None
    party_rental: VendorConfig | None = None
    receivers: dict[str, ReceiverConfig] = {}

    def vendor(self, slug: str) -> VendorConfig | None:
        """The vendor's part, by its slug."""
        part = getattr(self, slug)
        assert part is None or isinstance(part, VendorConfig)
        return part


def parse(text: str) -> SandboxConfig:
    """Read the file's text.

    Raises:
        ConfigError: with the place of each mistake.
    """
    try:
        return SandboxConfig.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}" for each in error.errors()]
        raise ConfigError("; ".join(mistakes)) from error


class ConfigFile:
    """The file on disk, read again when it changes. If the new one does not parse, the last good one stays in use."""

    def __init__(self, home: Path) -> None:
        """Read it for the first time.

        Raises:
            ConfigError: when it is missing or malformed.
        """
        self._path = home / FILE_NAME
        self.error: str | None = None
        self._stamp = self._read_stamp()
        self._config = self._read()

    def current(self) -> SandboxConfig:
        """The current configuration; `error` says why a newer file is not used."""
        try:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._config = self._read()
                self.error = None
        except ConfigError as error:
            self.error = str(error)
        return self._config

    def _read_stamp(self) -> tuple[int, int, int]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise ConfigError(
                f"{self._path}: cannot be read ({error.strerror}); the product's seed writes it"
            ) from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self) -> SandboxConfig:
        try:
            return parse(self._path.read_text("utf-8"))
        except (ConfigError, OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._path}: {error}") from error
