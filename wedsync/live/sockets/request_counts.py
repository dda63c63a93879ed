"""How many requests a socket may make."""

from django.conf import settings

WINDOW = 1.0  # seconds


class RequestCount:
    """One socket's requests of this second, and how many of the last seconds it was refused."""

    __slots__ = ("_asked", "_began", "_refused")

    def __init__(self) -> None:
        self._began = 0.0
        self._asked = self._refused = 0

    def allows_another(self, now: float) -> bool:
        """Count a request; whether it may be carried out. ``now``: seconds of a clock that only goes forward."""
        if now - self._began >= WINDOW:
            if self._asked <= settings.LIMIT_PER_SOCKET:
                self._refused = 0
            self._began, self._asked = now, 0
        self._asked += 1
        if self._asked <= settings.LIMIT_PER_SOCKET:
            return True
        self._refused += 1
        return False

    @property
    def goes_on(self) -> bool:
        """Whether the client makes its requests without regard to the refusals: as many again as it may make."""
        return self._refused > settings.LIMIT_PER_SOCKET
