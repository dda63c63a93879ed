"""What a request may say: its body, its filters, its page of a list."""
