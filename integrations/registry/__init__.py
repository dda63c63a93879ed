"""What this app asks of the apps above it, which register their answers when they start."""
