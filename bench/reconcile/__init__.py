"""Nothing that was answered is lost, and nothing is half there, whatever is killed meanwhile."""
