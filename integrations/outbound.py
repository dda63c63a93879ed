"""One outside call over HTTP: within a deadline, without redirects, with a bounded answer."""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter

from integrations.addresses import check_url
from integrations.errors import (
    CredentialsRefused,
    NetworkError,
    OurFault,
    Permanent,
    ServerError,
    TargetGone,
    Throttled,
    TimedOut,
)

MOST_BYTES = 64 * 1024
EXCERPT = 500
USER_AGENT = "WedSync/1"
_threads = threading.local()


@dataclass(frozen=True)
class Request:
    """What is sent, without credentials: frozen at the first attempt, so that every retry sends the same bytes."""

    method: str
    path: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the delivery's row."""
        return {"method": self.method, "path": self.path, "body": self.body, "headers": self.headers}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Request":
        """From the delivery's row."""
        return cls(**stored)


@dataclass(frozen=True)
class Call:
    """A request made ready to leave: whole URL, and headers with credentials. Lives only for one attempt."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Response:
    """What came back; ``body`` ends at 64 KiB."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def excerpt(self) -> str:
        """The start of the body, for the attempt's row."""
        return self.body[:EXCERPT].decode("utf-8", errors="replace").replace("\x00", "")

    @property
    def retry_after(self) -> float | None:
        """Seconds from ``Retry-After``, where it is given as a number."""
        text = self.headers.get("retry-after", "")
        return float(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _session() -> requests.Session:
    """This thread's session: its connections stay open between calls; it reads no proxy settings or ``.netrc``."""
    if not hasattr(_threads, "session"):
        session = requests.Session()
        session.trust_env = False
        adapter = HTTPAdapter(pool_connections=16, pool_maxsize=4, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        _threads.session = session
    found: requests.Session = _threads.session
    return found


def send(call: Call, *, deadline: float) -> Response:
    """Make the call. ``deadline``: seconds; of these at most 5 to connect, and the body waits only for what is left.

    Each read of the headers may still wait as long as the whole deadline (docs/adr/0013).

    Raises:
        NetworkError: no connection, or it broke.
        TimedOut: the deadline passed.
        OurFault: an address that may not be called.
    """
    check_url(call.url, settings.OUTBOUND_ALLOW)
    ends = time.monotonic() + deadline
    try:
        with _session().request(
            call.method,
            call.url,
            data=call.body,
            headers={"User-Agent": USER_AGENT, **call.headers},
            timeout=(min(5.0, deadline), deadline),
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = _read(answer, ends)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, headers, body)
    except requests.ConnectTimeout as error:
        raise NetworkError("no connection within the deadline") from error
    except (requests.Timeout, urllib3.exceptions.ReadTimeoutError) as error:
        raise TimedOut("no answer within the deadline") from error
    except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL) as error:
        raise OurFault(
            "the system's URL or one of its credentials holds a character that HTTP can not carry"
        ) from error
    except requests.exceptions.SSLError as error:
        raise NetworkError("the TLS certificate was not accepted") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        sent = not _never_connected(error)
        raise NetworkError("the connection broke" if sent else "the connection was refused", sent=sent) from error


def _never_connected(error: Exception) -> bool:
    """Whether the connection was refused before anything could leave."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _read(answer: requests.Response, ends: float) -> bytes:
    body = b""
    while piece := _piece(answer, ends):
        body += piece
        if len(body) >= MOST_BYTES:
            return body[:MOST_BYTES]
    return body


def _piece(answer: requests.Response, ends: float) -> bytes:
    """Whatever has arrived, also a single byte; waits for it no longer than the deadline."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimedOut("the answer did not end within the deadline")
    sock = getattr(answer.raw.connection, "sock", None)
    if sock is not None:
        sock.settimeout(left)
    return bytes(answer.raw.read1(8192, decode_content=True))


def check_status(response: Response) -> None:
    """Pass a 2xx on. See docs/operations.md, "Deliveries".

    Raises:
        DeliveryError: of the class that the status stands for.
    """
    status = response.status
    if 200 <= status < 300:
        return
    if status >= 500:
        raise ServerError(f"answered {status}", retry_after=response.retry_after)
    if status in {408, 425, 429}:
        raise Throttled(f"answered {status}", retry_after=response.retry_after)
    if status in {401, 403}:
        raise CredentialsRefused(f"answered {status}: the credentials are refused")
    if status == 410:
        raise TargetGone("answered 410: the target is gone")
    raise Permanent(f"answered {status}")
