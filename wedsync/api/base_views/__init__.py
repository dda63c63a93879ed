"""What every endpoint is built on: the scope of its key, rows of one organization, POSTs that count once."""
