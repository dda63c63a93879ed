"""Pages for people who have no login: each is opened by the link in a message."""
