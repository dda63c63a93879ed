"""The base of every admin page: it ends at the organization's border."""
