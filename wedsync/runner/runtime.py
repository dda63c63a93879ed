"""The folder for sockets: short, without spaces, and private.

A socket's path has at most 107 bytes (sun_path in unix(7)), which a home in a deep folder easily exceeds, and spaces
break PostgreSQL's connection strings. Sockets are therefore below the machine's temporary folder.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from wedsync.runner.errors import RunnerError

LONGEST = 107 - len("/postgres/.s.PGSQL.5432.lock")
"""The most bytes of the folder's own path, so that the longest name inside still fits."""


def _temporary_folder(name: str) -> Path:
    for candidate in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the folder inside is private and checked
        path = Path(candidate).resolve()
        if len(os.fsencode(path / name)) <= LONGEST and " " not in str(path):
            return path
    raise RunnerError("No temporary folder with a short path and without spaces was found. Set TMPDIR to one.")


def runtime_folder(home: Path) -> Path:
    """The home's folder for sockets; created if missing, private to this user.

    Others can enter (not list) root's, because root's PostgreSQL runs as an ordinary user; everything inside is private
    to its owner.

    Raises:
        RunnerError: another user owns a folder of that name, or there is no place for one.
    """
    user = os.geteuid()
    name = f"wedsync-{user}-{hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:8]}"
    path = _temporary_folder(name) / name
    mode = 0o711 if user == 0 else 0o700
    path.mkdir(mode=mode, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:
        raise RunnerError(f"{path} belongs to somebody else. Remove it, or set TMPDIR to a folder of your own.")
    path.chmod(mode)
    return path


def remove(runtime: Path) -> None:
    """Remove the folder; what cannot be removed is not worth an error while stopping."""
    shutil.rmtree(runtime, ignore_errors=True)
