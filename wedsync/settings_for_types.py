"""The settings for mypy's Django plugin, which reads the models and reaches no server."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://types@localhost/types")
os.environ.setdefault("REDIS_URL", "redis://localhost/0")
os.environ.setdefault("WEDSYNC_DJANGO_SECRET_KEY", "only for reading types")

from wedsync.settings import *  # noqa: F403
