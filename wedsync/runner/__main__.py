"""``python -m wedsync.runner``: what ``make run`` runs once the packages are installed."""

import argparse
import os
import sys
from pathlib import Path

from wedsync.runner import ports
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import Home
from wedsync.runner.launch import Copy, Launcher
from wedsync.runner.output.progress import Progress

ROOT = Path(__file__).resolve().parent.parent.parent
SETUP = (
    "keys=python manage.py check_keys",
    "database=python manage.py migrate --noinput",
    "demo=python manage.py seed_demo",
)
SANDBOX = 'python -m sandbox --port "$WEDSYNC_SANDBOX_PORT" --home "$WEDSYNC_HOME"'


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m wedsync.runner",
        description="Run all of WedSync on this machine. PORT (8000) and WEDSYNC_HOME (.wedsync) choose the copy; "
        "DATABASE_URL and REDIS_URL replace the embedded servers.",
    )
    parser.add_argument("--procfile", type=Path, default=ROOT / "Procfile", help="the processes to run")
    parser.add_argument("--setup", action="append", metavar="NAME=COMMAND", help="run before the processes, in order")
    parser.add_argument(
        "--sandbox", default=SANDBOX, metavar="COMMAND", help="the process that stands in for outside services"
    )
    return parser.parse_args()


def main() -> int:
    """Run one copy; 0 if somebody stopped it, 1 if it could not start."""
    arguments = _arguments()
    os.umask(0o077)  # the home holds keys and the demo's password
    progress = Progress()
    try:
        copy = Copy(
            home=Home(os.environ.get("WEDSYNC_HOME") or ".wedsync"),
            port=ports.parse("PORT", os.environ.get("PORT") or str(ports.DEFAULT)),
            procfile=arguments.procfile,
            setup=[(name, command) for name, _, command in (line.partition("=") for line in arguments.setup or SETUP)],
            sandbox=arguments.sandbox,
            environment=dict(os.environ),
        )
        Launcher(copy, progress).run()
    except RunnerError as error:
        progress.error(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
