"""A worker as small as can be: says that it is ready, starts a child of its own, and waits to be ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

if words := os.environ.get("TOY_WORKER_DIES"):
    sys.exit(words)
subprocess.Popen(["sleep", "600"])
(Path(os.environ["WEDSYNC_HOME"]) / "run" / "ready" / os.environ["WEDSYNC_PROCESS"]).touch()
while True:
    time.sleep(600)
