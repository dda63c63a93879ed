"""What each kind of system says of our account there: the credentials that it takes, and how fast it may be called."""
