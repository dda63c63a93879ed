"""``python -m wedsync.runner.checks``: Django's own checks for ``make lint``, configured as in production.

They need no server: the addresses lead nowhere on purpose.
"""

import os
import subprocess
import sys
from pathlib import Path

from wedsync.runner.environment import unconfigured
from wedsync.runner.home import django_secret, fernet_key

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = (
    ("makemigrations", "--check", "--dry-run"),
    ("check", "--deploy", "--fail-level", "WARNING"),
)


def environment() -> dict[str, str]:
    """A production configuration with new keys, and nothing of the caller's own."""
    return unconfigured(os.environ) | {
        "DATABASE_URL": "postgresql://nobody@/nothing?host=/nonexistent",
        "REDIS_URL": "unix:///nonexistent/valkey.sock",
        "WEDSYNC_SECRET_KEYS": fernet_key(),
        "WEDSYNC_DJANGO_SECRET_KEY": django_secret(),
        "WEDSYNC_PUBLIC_URL": "https://wedsync.example",
        "WEDSYNC_ALLOWED_HOSTS": "wedsync.example",
        "WEDSYNC_SECURE": "1",
    }


def main() -> int:
    """Run all checks; 1 if any failed."""
    without_database = ["-W", "ignore:Got an error checking a consistent migration history"]
    codes = []
    for words in COMMANDS:
        print(f"manage.py {' '.join(words)}", flush=True)
        command = [sys.executable, *without_database, "manage.py", *words]
        codes.append(subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode)
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
