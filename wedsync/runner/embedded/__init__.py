"""The servers that WedSync brings along. Both listen on Unix sockets only, and keep their data in the home."""

from wedsync.runner.embedded.postgres import EmbeddedPostgres
from wedsync.runner.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey"]
