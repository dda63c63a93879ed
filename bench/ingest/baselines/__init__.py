"""The servers that ours is measured against. Each checks the HMAC, stores the body durably, and does nothing else."""
