"""The servers that WedSync ships with. Both listen only on Unix sockets, and keep their data in the home.

==================  ==========================================================
``server``          what both have in common
``postgres``        PostgreSQL, which needs data and a user before it starts
``privileges``      how root starts it, which it refuses to run as
``valkey``          Valkey, which needs nothing
``wheels``          where their programs are
==================  ==========================================================
"""

from wedsync.runner.embedded.postgres import EmbeddedPostgres
from wedsync.runner.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey"]
