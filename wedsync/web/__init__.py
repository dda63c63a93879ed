"""The web process around Django: request bodies, answers, and the bridge to its threads."""
