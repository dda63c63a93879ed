"""One measurement: tidy up, play, and compare what was answered with what was stored."""

from pathlib import Path

from bench.envelopes import Envelopes, signed_requests
from bench.errors import BenchError
from bench.ground import Facts, Ground
from bench.ingest.contestants import Contestant
from bench.ingest.load import Played, play, write_slices
from wedsync.runner.supervision.processes import wait_until

MOST_PER_SECOND = 60_000
"""What no server here reaches on such a machine: so many requests are signed for each second of a measurement."""
SETTLED_SECONDS = 0.2


class Measuring:
    """Measures with requests that no server has seen."""

    def __init__(self, ground: Ground, facts: Facts) -> None:
        self._ground = ground
        self._facts = facts
        self._envelopes = Envelopes(facts.bookings)
        self._slices = 0

    def sign(self, seconds: int) -> Path:
        """Write requests for measurements of so many seconds, signed now; one folder serves each server once."""
        self._slices += 1
        folder = self._ground.folder / f"slices-{self._slices}"
        write_slices(folder, signed_requests(self._facts, self._envelopes, MOST_PER_SECOND * seconds))
        return folder

    def measure(self, contestant: Contestant, folder: Path, connections: int, seconds: int) -> Played:
        """Play, and count what was stored.

        Raises:
            BenchError: an answer was not 202; or a row is missing, or one too many is there.
        """
        contestant.server.pid  # noqa: B018 - it must still run
        self._ground.execute(*contestant.tidy, database=contestant.database)
        self._ground.drop_hints()
        before = self._counts(contestant)
        try:
            played = play(contestant.server.port, folder, connections, seconds)
        except BenchError as error:
            raise BenchError(f"{contestant.name}, {connections} connections: {error}") from error
        stored = [now - then for now, then in zip(self._settled(contestant), before, strict=True)]
        reconcile(contestant.name, played.answers, stored, connections)
        return played

    def _counts(self, contestant: Contestant) -> tuple[int, ...]:
        return self._ground.execute(contestant.counts, database=contestant.database)[0]

    def _settled(self, contestant: Contestant) -> tuple[int, ...]:
        """The counts, once they stay the same: requests under way when wrk stopped are still being stored."""
        seen: list[tuple[int, ...]] = []

        def unchanged() -> bool:
            seen.append(self._counts(contestant))
            return len(seen) > 1 and seen[-1] == seen[-2]

        if not wait_until(unchanged, 30, pause=SETTLED_SECONDS):
            raise BenchError(f"{contestant.name} still writes 30 s after the load has ended.")
        return seen[-1]


def reconcile(name: str, answers: int, stored: list[int], connections: int) -> None:
    """Each 202 has its rows. wrk hangs up at the end, so each connection may have one more that it saw no answer to.

    Raises:
        BenchError: a row is missing, or one too many is there.
    """
    if len(set(stored)) > 1 or not answers <= stored[0] <= answers + connections:
        raise BenchError(
            f"{name}: {answers} answers were 202, and the new rows are {stored}. Each must be as many as the answers, "
            f"and at most {connections} more, which were under way when the load ended."
        )
