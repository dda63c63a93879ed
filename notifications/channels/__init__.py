"""The channels to people: each is a file or a folder, and a line in :mod:`notifications.channels.registry`."""
