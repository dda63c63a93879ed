"""Text messages through Twilio: its call, its codes, and what fits into three segments."""
