"""Events that are collected for a while and sent as one message."""
