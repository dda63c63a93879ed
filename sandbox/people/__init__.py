"""What people do with what they got: read it, answer, press a button, unsubscribe."""
