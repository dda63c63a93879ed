"""Twilio's Messages API: text messages, their statuses, people's replies."""
