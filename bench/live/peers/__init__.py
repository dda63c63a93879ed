"""The servers that ours is measured beside; each tells every client what comes over one Redis channel."""

TOPIC = GROUP = "bench-live"
