"""The environment variables of the processes."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from wedsync.env import VARIABLES
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.home import Home, django_secret, fernet_key, vapid_key
from wedsync.runner.ports import DEFAULT, LOCAL

_KEYS = {
    "WEDSYNC_SECRET_KEYS": fernet_key,
    "WEDSYNC_DJANGO_SECRET_KEY": django_secret,
    "WEDSYNC_VAPID_PRIVATE_KEY": vapid_key,
}
_CONTACT = "mailto:operator@wedsync.example"


def unconfigured(outer: Mapping[str, str]) -> dict[str, str]:
    """An environment without everything that configures WedSync, Django or libpq.

    A separate copy starts from it, so that nothing leads it to another copy's data, port or times.
    """
    foreign = ("WEDSYNC_", "DJANGO_", "PG")
    return {name: value for name, value in outer.items() if name not in VARIABLES and not name.startswith(foreign)}


def for_children(
    outer: Mapping[str, str], home: Home, port: int, sandbox_port: int, database_url: str, redis_url: str
) -> dict[str, str]:
    """The environment of every process of this copy, made from the runner's own and the home's.

    Keys that the operator has set are kept. Debugging and libpq's variables are dropped: the first shows tracebacks to
    everybody, the others would lead psycopg2 to another server than the URL names.
    """
    made = {name: value for name, value in outer.items() if name != "WEDSYNC_DEBUG" and not name.startswith("PG")}
    for name, make in _KEYS.items():
        made[name] = outer.get(name) or home.secret(name, make)
    return made | {
        "WEDSYNC_HOME": str(home.path),
        "PORT": str(port),
        "WEDSYNC_HOST": LOCAL,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "WEDSYNC_PUBLIC_URL": f"http://{LOCAL}:{port}",
        "WEDSYNC_SANDBOX_URL": f"http://{LOCAL}:{sandbox_port}",
        "WEDSYNC_OUTBOUND_ALLOW": _allowed(outer, sandbox_port),
        "WEDSYNC_VAPID_CONTACT": outer.get("WEDSYNC_VAPID_CONTACT") or _CONTACT,
        "WEDSYNC_PUSH_HOSTS": ",".join(filter(None, (LOCAL, outer.get("WEDSYNC_PUSH_HOSTS")))),
        "WEDSYNC_ALLOWED_HOSTS": f"{LOCAL},localhost",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), outer.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }


def _allowed(outer: Mapping[str, str], sandbox_port: int) -> str:
    """The sandbox, and what the caller allows in addition, such as their own receiver."""
    own = f"{LOCAL}/32:{sandbox_port}"
    given = [each.strip() for each in outer.get("WEDSYNC_OUTBOUND_ALLOW", "").split(",")]
    return ",".join([own, *(each for each in given if each and each != own)])


def of_running_copy(outer: Mapping[str, str]) -> dict[str, str]:
    """The variables with which a command uses the copy running in ``WEDSYNC_HOME``.

    Empty if none runs there, or if the operator has named a database: then the environment is the operator's.
    """
    home = Home(outer.get("WEDSYNC_HOME") or ".wedsync")
    if outer.get("DATABASE_URL") or not home.ready_file.exists():
        return {}
    port = urlsplit(json.loads(home.ready_file.read_text())["base_url"]).port or DEFAULT
    sandbox_port = int(home.sandbox_port_file.read_text())
    redis_url = outer.get("REDIS_URL") or EmbeddedValkey(home).url
    return for_children(outer, home, port, sandbox_port, EmbeddedPostgres(home).url, redis_url)
