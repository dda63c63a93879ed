"""The channel to other systems; the counterpart of notifications/channels, which leads to people."""
