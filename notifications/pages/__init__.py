"""Pages for people without a login: each is opened by the link in a message."""
