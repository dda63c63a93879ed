"""What providers and people tell back."""
