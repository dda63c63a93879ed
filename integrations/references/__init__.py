"""Names that outside systems have for our weddings and people."""
