"""Admin of what people are told."""

from notifications.admin import incidents, messages, notifications

__all__ = ["incidents", "messages", "notifications"]
