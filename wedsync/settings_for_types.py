"""The settings as mypy's Django plugin needs them: it reads the models, and reaches no server."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://types@localhost/types")
os.environ.setdefault("REDIS_URL", "redis://localhost/0")
os.environ.setdefault("WEDSYNC_DJANGO_SECRET_KEY", "only for reading types")

from wedsync.settings import *  # noqa: F403
