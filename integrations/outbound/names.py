"""Resolves host names in a bounded number of threads; no caller waits past its own deadline.

The system's resolver accepts no deadline, and a thread in it cannot be stopped. So a name is looked up in a thread of
its own, at most one per name and :data:`MOST_LOOKUPS` in all; a caller stops waiting when its time is up. A name whose
server is silent thus occupies one thread, however many calls want it. docs/adr/0027.
"""

import socket
import threading
import time

from integrations.errors import NetworkError, NoRoom

MOST_LOOKUPS = 16
MOST_KEPT = 1024
KEPT_SECONDS = 10.0


class _Lookup:
    """One lookup under way; all calls that want the name wait for it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: tuple[str, ...] = ()


_lock = threading.Lock()
_under_way: dict[str, _Lookup] = {}
_kept: dict[str, tuple[float, tuple[str, ...]]] = {}


def resolve(host: str, seconds: float) -> tuple[str, ...]:
    """The host's addresses, in the order of the system's resolver; answers are kept for 10 s, failures never.

    Raises:
        NetworkError: no such name, or no answer within ``seconds``.
        NoRoom: too many other lookups are under way.
    """
    with _lock:
        kept = _kept.get(host)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        lookup = _under_way.get(host)
        if lookup is None:
            lookup = _start(host)
    if not lookup.done.wait(seconds):
        raise NetworkError("the name servers did not answer for the system's host in time")
    if not lookup.found:
        raise NetworkError("the host name of the system's URL does not resolve")
    return lookup.found


def _start(host: str) -> _Lookup:
    """Begin a lookup; the caller holds the lock."""
    if len(_under_way) >= MOST_LOOKUPS:
        raise NoRoom("too many host names wait for name servers that do not answer")
    lookup = _Lookup()
    # A daemon, so that a silent name server cannot keep the process from ending.
    thread = threading.Thread(target=_look_up, args=(host, lookup), name="name-lookup", daemon=True)
    _under_way[host] = lookup
    try:
        thread.start()
    except RuntimeError as error:
        del _under_way[host]
        raise NoRoom("no thread was left to resolve the system's host name") from error
    return lookup


def _look_up(host: str, lookup: _Lookup) -> None:
    found: tuple[str, ...] = ()
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    except (OSError, UnicodeError):
        pass  # found stays empty, for which resolve() raises
    finally:
        lookup.found = found
        with _lock:
            del _under_way[host]
            if found:
                _keep(host, found)
        lookup.done.set()


def _keep(host: str, found: tuple[str, ...]) -> None:
    now = time.monotonic()
    if len(_kept) >= MOST_KEPT:
        for name in [name for name, (until, _) in _kept.items() if until <= now]:
            del _kept[name]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[host] = (now + KEPT_SECONDS, found)


def forget() -> None:
    """Drop the kept answers, so that the next call asks again."""
    with _lock:
        _kept.clear()
