"""From a commit to workers and clients: hints sent after it, and the broadcaster that writes new entries to clients."""
