"""Who calls: an organization's key, its scopes, and how often it may call."""
