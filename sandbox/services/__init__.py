"""One room per outside service: what it takes, what it refuses, and the words it uses for both."""
