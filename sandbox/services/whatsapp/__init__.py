"""WhatsApp Business Cloud API: messages, templates, numbers, error codes, callbacks."""
