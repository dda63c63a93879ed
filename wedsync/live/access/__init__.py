"""Who may watch: tickets, our own pages, and rights that are checked continually."""
