"""Text messages through Twilio: calls, error codes, and the layout within three segments."""
