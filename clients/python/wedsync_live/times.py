"""How long things may take, in seconds."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """The same as those of the JavaScript client.

    Arguments:
        patience: with a connection that does not answer.
        trust: for the answer that an old connection must give after the machine slept.
        ping: between pings while nothing else happens.
        first: the longest wait before the second attempt; it doubles with each further one.
        longest: the longest wait of all.
        settled: after this time a connection counts as good, and waits are short again.
        stream: until a socket is tried again where a proxy broke it.
        jump: of the clock, from which on the machine must have slept.
    """

    patience: float = 5.0
    trust: float = 1.0
    ping: float = 20.0
    first: float = 0.5
    longest: float = 20.0
    settled: float = 5.0
    stream: float = 600.0
    jump: float = 3.0

    def wait(self, failures: int) -> float:
        """A random wait before the next attempt, so that many clients do not come back at once."""
        return random.random() * min(self.longest, self.first * 2.0 ** min(failures, 30))
