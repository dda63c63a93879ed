"""Admin of what people are told."""

from notifications.admin import incidents, messages, notifications, templates, whatsapp_templates

__all__ = ["incidents", "messages", "notifications", "templates", "whatsapp_templates"]
