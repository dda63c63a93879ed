"""WhatsApp: calls, templates, errors, limits."""
