"""What every endpoint is built on: the scope it requires, rows of one organization, POSTs that take effect once."""
