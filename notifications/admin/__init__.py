"""Admin of messages to people, and of what they want to receive."""

from notifications.admin import addresses, incidents, messages, notifications, templates, whatsapp_templates

__all__ = ["addresses", "incidents", "messages", "notifications", "templates", "whatsapp_templates"]
