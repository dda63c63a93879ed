"""Which plan a message follows, and the deliveries of its later steps."""
