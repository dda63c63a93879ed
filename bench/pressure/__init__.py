"""What clients that misbehave, crowds that come and go, and a deploy do to clients that are served."""
