"""The channels to people: each is a file or a folder, listed in :mod:`notifications.channels.registry`."""
