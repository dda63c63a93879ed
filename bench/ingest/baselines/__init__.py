"""The servers that ours is compared with. Each checks the HMAC, stores the body durably, and does nothing else."""
