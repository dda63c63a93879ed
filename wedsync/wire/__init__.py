"""What is exchanged with the outside: JSON, text, times, amounts, problems. Pure."""
