"""Mail to people: laid out here, sent through Resend, another provider of django-anymail's, or SMTP."""

from notifications.channels.email.channel import Email

__all__ = ["Email"]
