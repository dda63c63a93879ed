"""Who may watch: tickets, pages of our own, and rights that are checked again and again."""
