"""The announcement: the copy's address, how to sign in, and a webhook to paste."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedsync.runner.errors import RunnerError

_WEBHOOK = """\
( t=$(date +%s) && \\
  id=vm_$t$(openssl rand -hex 4) && \\
  now=$(date -u +%Y-%m-%dT%H:%M:%S.%N | sed "s/[.]N.*//" | cut -c 1-26)+00:00 && \\
  capacity=$((120 + 0x$(openssl rand -hex 3) % 9000)) && \\
  payload='{{"wedding_id":"{wedding}","max_capacity":'$capacity',"previous":150}}' && \\
  body='{{"id":"'$id'","eventType":"capacity.updated","timestamp":"'$now'","payload":'$payload'}}' && \\
  signature=$(printf %s "$t.$body" | openssl dgst -sha256 -hmac {secret} -r | cut -c 1-64) && \\
  curl -sS {url} -H 'Content-Type: application/json' \\
    -H "X-Venue-Signature: t=$t,v1=$signature" --data-binary "$body" && echo )"""


@dataclass(frozen=True)
class Demo:
    """The facts of the demo (``demo.json`` in the home)."""

    base_url: str
    sandbox_url: str
    username: str
    password: str
    wedding: str
    webhook_url: str
    webhook_secret: str
    couple_url: str

    @classmethod
    def read(cls, path: Path) -> "Demo":
        """Raises:
        RunnerError: the file is missing or incomplete.
        """
        try:
            found: dict[str, Any] = json.loads(path.read_text())
            venue = found["connections"]["venue_master"]
            return cls(
                base_url=found["base_url"],
                sandbox_url=found["sandbox_url"],
                username=found["admin"]["username"],
                password=found["admin"]["password"],
                wedding=found["wedding"]["id"],
                webhook_url=venue["url"],
                webhook_secret=venue["secret"],
                couple_url=found["couple_url"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunnerError(f"The demo's data were not written to {path} as expected: {error!r}.") from error


def webhook_line(demo: Demo) -> str:
    """A command for bash, dash and zsh that sends a signed VenueMaster webhook, a new one each time it is pasted.

    The capacity is random, so that each paste changes the wedding. The signature is VenueMaster's: HMAC-SHA256 of
    ``t.body`` (docs/vendors).
    """
    return _WEBHOOK.format(
        wedding=demo.wedding, secret=shlex.quote(demo.webhook_secret), url=shlex.quote(demo.webhook_url)
    )


def block(demo: Demo, home: Path) -> str:
    """The whole announcement as plain text, since a frame or a wrapped line would be pasted too."""
    rule = "-" * 72
    return f"""
{rule}
 WedSync is running

   Open       {demo.base_url}/
   Sign in    {demo.username}   password {demo.password}
   Sandbox    {demo.sandbox_url}/   everything that was sent out
   Couple     {demo.couple_url}
              the page of Anna & Ben, live
   Logs       {home / "logs"}
   Stop       Ctrl-C

 Paste this into another shell, as often as you like: the venue changes the
 wedding's capacity, with a new id, time and signature each time.

{webhook_line(demo)}
{rule}"""
