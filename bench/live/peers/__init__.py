"""The servers that ours is compared with; each sends every client what arrives over one Redis channel."""

TOPIC = GROUP = "bench-live"
