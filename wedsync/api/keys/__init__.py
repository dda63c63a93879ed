"""An organization's API keys: authentication, scopes and rate limits."""
