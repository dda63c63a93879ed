"""WhatsApp: its call, its templates, its errors, its limits."""
