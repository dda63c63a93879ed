"""Starts PostgreSQL for root, since PostgreSQL refuses to run as root.

Root's PostgreSQL runs as ``nobody``. That user often cannot reach the binaries or the data: the checkout may be below
/root, which is closed to others. Copying everything elsewhere would cost hundreds of megabytes and break the rule that
the home holds the data. Only in that case the server keeps one of root's capabilities, ``dac_override``, which lets it
through closed folders (capabilities(7)). ``setpriv`` of util-linux sets it as an ambient capability, the only kind that
survives the execution of an ordinary program. The bit ``no_setuid_fixup`` is needed too: without it access(2), by which
PostgreSQL finds its own programs, ignores every capability of an ordinary user.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wedsync.runner.errors import RunnerError

LIFT = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup")


@dataclass(frozen=True)
class Account:
    """The user that a server's files belong to."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Launch:
    """How a command runs as another user: words put before it, or keywords for ``subprocess``."""

    prefix: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def account_for(data: Path) -> Account | None:
    """The user to run the server with this data as; ``None``: the current user, who is not root.

    An ordinary user's data stay that user's, so that ``sudo make run`` does not take them over.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise RunnerError(
            "PostgreSQL refuses root, and there is no user `nobody` here. Run as another user."
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def launch_as(account: Account | None, reach: tuple[Path, ...], proof: tuple[str, ...]) -> Launch:
    """How to start a program as ``account``.

    Arguments:
        reach: folders that the program must be able to enter.
        proof: a harmless command of the same program that must succeed.

    Raises:
        RunnerError: the account cannot enter them, and setpriv is missing or cannot help.
    """
    if account is None:
        return Launch()
    plain = Launch(options={"user": account.uid, "group": account.gid, "extra_groups": []})
    if _works(plain, reach, proof):
        return plain
    if setpriv := shutil.which("setpriv"):
        words = (f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups")
        lifted = Launch(prefix=(setpriv, *words, *LIFT))
        if _works(lifted, reach, proof):
            return lifted
    raise RunnerError(
        f"PostgreSQL refuses root, and user {account.uid}, as whom it runs instead, cannot enter "
        f"{' and '.join(str(folder) for folder in reach)}. Run as an ordinary user, or move the checkout and "
        "WEDSYNC_HOME to folders that others may enter."
    )


def _works(launch: Launch, folders: tuple[Path, ...], proof: tuple[str, ...]) -> bool:
    """Whether it works, by trying: access depends on modes, access control lists and mounts."""
    walk = 'count=$1; shift; while [ $count -gt 0 ]; do cd "$1" || exit 1; shift; count=$((count - 1)); done; exec "$@"'
    words = ["/bin/sh", "-c", walk, "sh", str(len(folders)), *map(str, folders), *proof]
    options = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **launch.options}
    return subprocess.run([*launch.prefix, *words], check=False, **options).returncode == 0
