"""Admin of what people are told."""

from notifications.admin import messages, notifications

__all__ = ["messages", "notifications"]
