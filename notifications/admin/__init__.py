"""Admin of what people are told."""

from notifications.admin import addresses, incidents, messages, notifications, templates, whatsapp_templates

__all__ = ["addresses", "incidents", "messages", "notifications", "templates", "whatsapp_templates"]
