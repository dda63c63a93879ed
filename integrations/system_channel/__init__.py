"""What goes to other systems; the twin of notifications/channels, which goes to people."""
