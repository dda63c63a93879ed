"""The command that plays a vendor, against a small server of its own."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Connection, System
from integrations.vendors import VENDORS
from tests.factories import ConnectionFactory, ExternalReferenceFactory
from tests.ports import free_port
from webhooks.vendor_events.envelope import open_body
from wedsync import vault

pytestmark = pytest.mark.django_db


class Peer(HTTPServer):
    """Keeps what it gets, and answers with ``status``."""

    status = 202

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.requests: list[tuple[str, dict[str, list[str]], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    server: Peer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {name.lower(): [value] for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b'{"status":"taken"}')

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def of_kind(kind: str, **rest: Any) -> Connection:
    made: Connection = ConnectionFactory(system__kind=kind, **{"secret": VENDORS[kind].signature.new_secret()} | rest)
    return made


def send(peer: Peer | None, *arguments: str) -> str:
    told = StringIO()
    url = peer.url if peer else f"http://127.0.0.1:{free_port()}"
    call_command("send_fixture", *arguments, "--url", url, stdout=told)
    return told.getvalue()


def secret_of(door: Connection) -> str:
    return vault.decrypt(door.secrets.latest("created_at").sealed)


@pytest.mark.parametrize("kind", VENDORS)
def test_each_vendors_fixture_goes_out_signed_new_and_of_this_moment(kind: str, peer: Peer) -> None:
    door = of_kind(kind)
    before = datetime.now(UTC)

    told = send(peer, kind, first_fixture(kind))

    ((path, headers, body),) = peer.requests
    assert path == f"/api/webhooks/channel-events/{door.id}"
    VENDORS[kind].signature.verify(headers, body, [secret_of(door)], datetime.now(UTC).timestamp())
    envelope = open_body(VENDORS[kind], body, time.time())
    assert envelope.event_type == first_fixture(kind).split("__")[0]
    assert before - timedelta(seconds=1) <= envelope.occurred_at <= datetime.now(UTC)
    assert "202 Accepted" in told
    assert '{"status":"taken"}' in told
    assert secret_of(door) not in told


def first_fixture(kind: str) -> str:
    folder = Path(__file__).parents[1] / "integrations" / "vendors" / kind
    return min(path.stem for path in folder.glob("*.json"))


def test_each_call_has_an_id_of_its_own_unless_it_is_to_be_kept(peer: Peer, tmp_path: Path) -> None:
    of_kind("venue_master")
    given = {"id": "vm_1", "eventType": "x", "timestamp": "2026-06-19T10:00:00+02:00", "payload": {}}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(given))

    for arguments in ((), (), ("--keep-id", "--keep-time")):
        send(peer, "venue_master", str(path), *arguments)

    first, second, kept = (json.loads(body) for _, _, body in peer.requests)
    assert first["id"] != second["id"]
    assert kept == given


def test_the_booking_is_one_that_the_system_has_with_us(peer: Peer) -> None:
    door = of_kind("venue_master")
    ExternalReferenceFactory(organization=door.organization, system=door.system, external_id="BK-of-ours")

    send(peer, "venue_master", "venue.emergency_reported", "--booking")

    payload = json.loads(peer.requests[0][2])["payload"]
    assert "BK-of-ours" in payload.values()


def test_a_refusal_is_printed_and_makes_the_command_fail(peer: Peer) -> None:
    of_kind("venue_master")
    peer.status = 422

    with pytest.raises(SystemExit) as ended:
        send(peer, "venue_master", "venue.emergency_reported")

    assert ended.value.code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("venuemaster", "x"), r"There is no vendor venuemaster\. There are: .*venue_master"),
        (
            ("venue_master", "no.such"),
            r"(?s)no fixture of venue_master is called no\.such.*venue\.emergency_reported__",
        ),
        (("venue_master", "venue.capacity_updated"), r"(?s)Several fixtures .*venue\.capacity_updated__plain"),
        (("venue_master", "venue.emergency_reported", "--connection", "wsc_none"), r"no open connection wsc_none"),
        (("shootq", "timeline.updated"), r"shootq has no connection that is open"),
        (("venue_master", "venue.emergency_reported", "--booking"), r"no external reference to a booking"),
        (("venue_master", "venue.emergency_reported"), r"Nothing answers at .* Is the server running\?"),
    ],
)
def test_what_is_wrong_is_said_with_what_there_is(arguments: tuple[str, ...], said: str) -> None:
    of_kind("venue_master")

    with pytest.raises(CommandError, match=said):
        send(None, *arguments)


def test_several_connections_are_listed_and_one_is_chosen(peer: Peer) -> None:
    first, second = of_kind("venue_master"), of_kind("venue_master")
    of_kind("venue_master", state="disabled")

    with pytest.raises(CommandError, match="several connections") as refused:
        send(peer, "venue_master", "venue.emergency_reported")
    assert first.id in str(refused.value)
    assert str(refused.value).count("wsc_") == 2
    send(peer, "venue_master", "venue.emergency_reported", "--connection", second.id)

    assert peer.requests[0][0].endswith(second.id)


def test_a_connection_without_a_live_secret_is_explained(peer: Peer) -> None:
    of_kind(System.Kind.VENUE_MASTER, secret=None)

    with pytest.raises(CommandError, match="has no live secret"):
        send(peer, "venue_master", "venue.emergency_reported")
