"""Rules for our account at each kind of system: the credentials that it needs, and how fast it may be called."""
