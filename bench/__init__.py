"""What proves the receiver's speed and safety on this machine. ``README.md`` says how to read it."""
