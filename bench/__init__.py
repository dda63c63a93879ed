"""Programs that measure the product's speed and safety on this machine. ``README.md`` explains the results."""
