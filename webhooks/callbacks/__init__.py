"""Callbacks of messaging providers: statuses, replies, pressed buttons. Each is verified and stored once."""

from collections.abc import Mapping

from webhooks.callbacks.base import Provider
from webhooks.callbacks.resend import Resend
from webhooks.callbacks.slack import Slack
from webhooks.callbacks.twilio import Twilio
from webhooks.callbacks.whatsapp import WhatsApp

PROVIDERS: Mapping[str, Provider] = {provider.slug: provider for provider in (WhatsApp(), Resend(), Slack(), Twilio())}
"""The adapters by their slug in the URL."""
BY_KIND: Mapping[str, Provider] = {provider.kind.value: provider for provider in PROVIDERS.values()}
"""The adapters by the kind of the system that sends the messages."""
