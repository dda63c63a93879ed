"""`python -m sandbox --port 8100 --home DIR`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from sandbox.app import build
from sandbox.config import ConfigError
from sandbox.logs import log
from sandbox.world import open_world

ADDRESS = "127.0.0.1"
"""No other: the sandbox obeys anybody who reaches it."""
_SHUTDOWN_SECONDS = 0.5


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8100, help="0: any free port; the first log line names it")
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("WEDSYNC_HOME") or ".wedsync"),
        help="folder of sandbox.json and sandbox.sqlite3",
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.home, arguments.port))
    except ConfigError as error:
        log("config_error", error=str(error))
        return 2
    except OSError as error:
        log("cannot_listen", port=arguments.port, error=str(error))
        return 1
    return 0


async def serve(home: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: when `sandbox.json` is missing or malformed.
        OSError: when the port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(build(open_world(home)), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, ADDRESS, port, backlog=1024)
        await site.start()
        log("listening", address=ADDRESS, port=runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()
        log("stopped")


if __name__ == "__main__":
    sys.exit(main())
