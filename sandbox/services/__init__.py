"""One room per outside service: what it accepts, what it refuses, and how it words both."""
