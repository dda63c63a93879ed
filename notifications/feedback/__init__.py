"""What providers report, and what people reply."""
