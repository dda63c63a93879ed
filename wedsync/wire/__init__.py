"""What comes from outside and goes there: JSON, text, times, amounts, problems. Pure."""
