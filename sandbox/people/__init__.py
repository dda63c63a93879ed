"""What people do with messages: read them, reply, press a button, unsubscribe."""
