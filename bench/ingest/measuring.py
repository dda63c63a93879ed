"""One measurement: tidy up, play, and compare answers with stored rows."""

from pathlib import Path

from bench.envelopes import Envelopes, signed_requests
from bench.errors import BenchError
from bench.ground import Facts, Ground
from bench.ingest.contestants import Contestant
from bench.ingest.load import Played, play, write_slices
from wedsync.runner.supervision.processes import wait_until

MOST_PER_SECOND = 60_000
"""Requests signed for each second of a measurement; no server here handles as many."""
SETTLED_SECONDS = 0.2


class Measuring:
    """Measures with requests that no server has received before."""

    def __init__(self, ground: Ground, facts: Facts) -> None:
        self._ground = ground
        self._facts = facts
        self._envelopes = Envelopes(facts.bookings)
        self._slices = 0

    def sign(self, seconds: int) -> Path:
        """Write requests for measurements of ``seconds``, signed now; one folder serves each server once."""
        self._slices += 1
        folder = self._ground.folder / f"slices-{self._slices}"
        write_slices(folder, signed_requests(self._facts, self._envelopes, MOST_PER_SECOND * seconds))
        return folder

    def measure(self, contestant: Contestant, folder: Path, connections: int, seconds: int) -> Played:
        """Play, and count the stored rows.

        Raises:
            BenchError: an answer was not 202, a row is missing, or there is a row too many.
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
        """The counts once they stay the same: requests under way when wrk stopped are still being stored."""
        seen: list[tuple[int, ...]] = []

        def unchanged() -> bool:
            seen.append(self._counts(contestant))
            return len(seen) > 1 and seen[-1] == seen[-2]

        if not wait_until(unchanged, 30, pause=SETTLED_SECONDS):
            raise BenchError(f"{contestant.name} still writes 30 s after the load has ended.")
        return seen[-1]


def reconcile(name: str, answers: int, stored: list[int], connections: int) -> None:
    """Check that each 202 has its rows. wrk closes its connections at the end, so each may have one more request.

    Raises:
        BenchError: a row is missing, or there is a row too many.
    """
    if len(set(stored)) > 1 or not answers <= stored[0] <= answers + connections:
        raise BenchError(
            f"{name}: {answers} answers were 202, and the new rows are {stored}. Each must equal the answers, "
            f"or be at most {connections} more, for requests under way when the load ended."
        )
