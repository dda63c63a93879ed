"""From a commit to workers and watchers: hints that leave after it, and the follower that hears them."""
