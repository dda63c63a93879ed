"""From a commit to workers and watchers: hints sent after it, and the follower that receives them."""
