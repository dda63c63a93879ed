"""Twilio's Messages API: text messages, their statuses, what people write back."""
