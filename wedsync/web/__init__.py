"""What the web process does around Django: bodies, answers, and the bridge to its threads."""
