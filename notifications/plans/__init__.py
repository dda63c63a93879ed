"""Which plan a message follows, and the deliveries that it makes later on."""
