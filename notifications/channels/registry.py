"""The channels to people, by name; the name is also the system's kind and the delivery's channel."""

from notifications.channels.base import PersonChannel
from notifications.channels.email.channel import Email
from notifications.channels.slack import Slack
from notifications.channels.sms.channel import Sms
from notifications.channels.web_push.channel import WebPush
from notifications.channels.whatsapp.channel import WhatsApp

CHANNELS: dict[str, PersonChannel] = {
    channel.channel: channel for channel in (WhatsApp(), Slack(), Email(), Sms(), WebPush())
}
