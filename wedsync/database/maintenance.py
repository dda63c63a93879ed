"""An operator's commands: none waits longer than 5 s for a lock, so that the product never queues behind it."""

import sys
import time
from collections.abc import Callable

from wedsync.database import sessions
from wedsync.database.errors import lock_is_held
from wedsync.database.sessions import Role

SERVICES = frozenset({"sweep", "runserver"})
"""Commands that are the product's own processes."""
REPEATED = frozenset({"migrate", "loaddata", "flush", "seed_demo", "reencrypt_secrets"})
"""Commands that may run again after giving up on a lock: what they finished is kept, the rest was rolled back."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)  # seconds


def run(
    execute: Callable[[list[str]], None],
    words: list[str],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Run one of Django's commands with the sessions that suit it; again if another session held a lock.

    A statement that waits for a table's lock makes all others wait behind it. It therefore gives up after 5 s
    (``lock_timeout``), lets the others pass and tries again: up to six times within about two minutes.

    Arguments:
        execute: ``execute_from_command_line``.
        words: the whole command line.
        pause: waits for a number of seconds.
    """
    command = words[1] if len(words) > 1 else ""
    if command not in SERVICES:
        sessions.become_everywhere(Role.MAINTENANCE)
    for seconds in PAUSES if command in REPEATED else ():
        try:
            execute(words)
        except Exception as error:
            if not lock_is_held(error):
                raise
            said = f"{command}: another session holds a lock that this needs; trying again in {seconds:g} s.\n"
            sys.stderr.write(said)
            pause(seconds)
        else:
            return
    execute(words)
