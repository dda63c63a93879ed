"""What people are told, and what they want to hear of."""
