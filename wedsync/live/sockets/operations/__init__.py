"""What clients may ask of a socket: one module per operation, listed in ``operations.table``."""
