"""What people want to receive, and what blocks an address."""
