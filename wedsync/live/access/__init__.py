"""Who may follow channels: tickets, sessions, personal links, and rights that are checked continually."""
