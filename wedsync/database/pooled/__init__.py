"""Django's PostgreSQL backend with connections that are given back instead of closed (docs/adr/0012)."""
