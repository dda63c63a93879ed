"""The event types: category, priority, payload, and the channels that each appears on."""
