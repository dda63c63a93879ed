"""One of two web processes is told to end, under many clients of ours, while webhooks come in."""

import http.client
import itertools
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from bench.envelopes import Envelopes, signature
from bench.errors import BenchError
from bench.ground import Facts, Ground
from bench.live.command_process import CommandProcess
from bench.pressure.part import Part
from bench.pressure.sizes import Sizes
from bench.pressure.sockets import counted
from bench.pressure.stage import Repeated, Say
from bench.servers import Server, free_port, our_web
from wedsync.runner.ports import LOCAL

NAME = "deploy"
PROCESSES = 2  # that the clients are spread over
EACH_SECOND = 10  # webhooks
PATIENCE = 60.0  # seconds for the process to end
WORST = 0.2
CUT_OFF = "the connection was lost"  # what a client of ours says instead of 1006


def measure(ground: Ground, facts: Facts, sizes: Sizes, say: Say) -> Part:
    """Let the clients follow, end one process, and judge what each client went through."""
    found = Part(NAME)
    (wedding, organization), *_ = ground.execute(
        "SELECT wedding_id::text, organization_id::text FROM integrations_externalreference "
        f"WHERE external_id = '{facts.bookings[0]}' AND organization_id = '{facts.organization}'"
    )
    channel = f"couple:dashboard:{wedding}"
    last = f"SELECT last_sequence FROM live_channel WHERE name = '{channel}' AND organization_id = '{organization}'"
    environment = ground.environment(free_port())
    with ExitStack() as started:
        webs = [started.enter_context(our_web(ground, name=f"web-{n}", more=sizes.variables)) for n in (1, 2)]
        words = ("bench.pressure.moving_clients",)
        log = ground.home.log("moving-clients")
        crowds = [started.enter_context(CommandProcess(words, environment, log)) for _ in range(PROCESSES)]
        vendor = Vendor(webs, facts)
        say(f"{sizes.moving} clients connect")
        for crowd in crowds:
            order = {"ports": [web.port for web in webs], "key": facts.token, "channel": channel,
                     "count": sizes.moving // PROCESSES}  # fmt: skip
            crowd.ask(json.dumps({"follow": order}))
        with Repeated(vendor.send, 1 / EACH_SECOND):
            time.sleep(2)
            say("one web process is told to end")
            told = time.monotonic()
            os.kill(webs[0].pid, signal.SIGTERM)
            _wait_for_the_end(webs[0])
            ended = time.monotonic() - told
            say(f"it has ended after {ended:.1f} s")
            time.sleep(sizes.settle)
        sequence = ground.number(last)
        say("every client is asked for what it got")
        clients = [each for crowd in crowds for each in crowd.ask(json.dumps({"leave": sequence}))]
        tracebacks = sum(web.log.read_text().count("Traceback") for web in webs)
    _judge(found, clients, told, sequence)
    found.note("the process ended after", f"{ended:.1f} s")
    found.equal("webhooks, by status", f"202 ({sum(vendor.statuses.values())})", counted(vendor.statuses))
    found.equal("tracebacks", 0, tracebacks)
    return found


def _wait_for_the_end(web: Server) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            _ = web.pid
        except BenchError:
            return
        time.sleep(0.1)
    raise BenchError(f"The web process did not end within {PATIENCE:g} s.")


def _judge(found: Part, clients: Sequence[Mapping[str, Any]], told: float, last: int) -> None:
    moved = [each for each in clients if any(at > told and name == "waiting" for at, name, _ in each["states"])]
    backs = [at for each in clients for at, name, _ in each["states"] if at > told and name == "live"]
    codes = Counter(code for each in clients for at, name, code in each["states"] if at > told and name == "waiting")
    found.note("clients", str(len(clients)))
    found.note("clients that had to move", str(len(moved)))
    found.note("why they did", counted(codes))
    found.equal("clients that are back", len(moved), sum(each["states"][-1][1] == "live" for each in moved))
    if moved:
        worst = worst_second(backs)
        found.ratio_at_most("deploy_worst_second", "back in the worst second, of those", WORST, worst / len(moved))
        found.note("back in the worst second, of all", f"{worst / len(clients):.4g}")
    found.equal("clients that saw 1006", 0, codes[CUT_OFF])
    in_vain = sum(count for code, count in codes.items() if not code.isdigit() and code != CUT_OFF)
    found.note("attempts that came to nothing", str(in_vain))
    sequences = [each["sequences"] for each in clients]
    found.equal("events missed", 0, sum(last - len(set(each)) for each in sequences))
    found.equal("events twice or out of order", 0, sum(each != sorted(set(each)) for each in sequences))
    found.note("events of each client", str(last))
    found.details = {"codes": codes, "seconds_after": sorted(round(at - told, 2) for at in backs)}


def worst_second(moments: Sequence[float]) -> int:
    """How many of these moments, in seconds, are within one second at most."""
    return max((sum(start <= each < start + 1 for each in moments) for start in moments), default=0)


class Vendor:
    """Sends webhooks to the processes in turn, as through a balancer: to one that listens. ``statuses``: of all."""

    def __init__(self, webs: Sequence[Server], facts: Facts) -> None:
        self._webs, self._facts = itertools.cycle(webs), facts
        self._envelopes = Envelopes(facts.bookings)
        self.statuses: Counter[str] = Counter()

    def send(self) -> None:
        """Send one."""
        ((_, body),) = self._envelopes.take(1)
        signed = signature(body, self._facts.secret.encode(), int(time.time()))
        headers = {"Content-Type": "application/json", "X-Venue-Signature": signed}
        for _ in range(2):
            try:
                self.statuses[self._post(next(self._webs), body, headers)] += 1
            except ConnectionRefusedError:
                continue
            return
        self.statuses["refused"] += 1

    def _post(self, web: Server, body: bytes, headers: Mapping[str, str]) -> str:
        connection = http.client.HTTPConnection(LOCAL, web.port, timeout=20)
        try:
            connection.connect()
        except ConnectionRefusedError:
            connection.close()
            raise
        try:
            connection.request("POST", self._facts.path, body, dict(headers))
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
