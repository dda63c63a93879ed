"""What people want to hear of, and what stands against an address."""
