"""One JSON line per event on stderr. No tokens: callers pass paths that are already safe to show."""

from __future__ import annotations

import json
import sys
import time

from sandbox.wire import iso


def log(event: str, **fields: object) -> None:
    """Write one line; values that JSON cannot represent are written as text."""
    line = {"time": iso(time.time()), "event": event} | fields
    sys.stderr.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    sys.stderr.flush()
