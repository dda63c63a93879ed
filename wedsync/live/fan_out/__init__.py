"""From a commit to workers and sockets: hints sent after it, and the broadcaster that writes new entries to sockets."""
