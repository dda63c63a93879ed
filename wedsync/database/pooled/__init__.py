"""Django's PostgreSQL backend with connections that are returned to a pool instead of closed (docs/adr/0012)."""
